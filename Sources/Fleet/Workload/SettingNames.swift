import Redis
import Runtime

/// The names of settings by their hashes. Digests of settings hold hashes alone, and people want names.
enum SettingNames {
  private struct State {
    var names: [UInt64: String] = [:]
    /// Which sets of settings were taken in: all servers of one version have the same.
    var sets: Set<UInt64> = []
  }
  private static let state = Lock(State())
  /// Names that are held, and sets that are looked through.
  private static let nameLimit = 4096
  private static let setLimit = 64

  /// Takes in the names of a server's settings. Costs next to nothing where another server with the same was seen.
  static func learn(_ config: ServerConfig) {
    let entries = config.entries.prefix(ConfigDigest.limit)
    let set = entries.reduce(UInt64(entries.count)) { $0 &+ $1.keyHash &* 0x9e37_79b9_7f4a_7c15 }
    state.withLock { state in
      guard state.sets.count < setLimit, state.sets.insert(set).inserted else { return }
      for entry in entries where state.names[entry.keyHash] == nil && state.names.count < nameLimit {
        state.names[entry.keyHash] = printable(config.key(of: entry))
      }
    }
  }

  /// nil for a setting that no server was seen with.
  static func name(of hash: UInt64) -> String? { state.withLock { $0.names[hash] } }
}
