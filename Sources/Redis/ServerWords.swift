import Runtime

/// A server's place in replication, by whichever word its INFO has for it.
public enum ReplicationRole: Sendable, Equatable {
  case master, replica
  /// KeyDB's: it takes writes, and follows other masters, too.
  case activeReplica

  /// - Returns: nil for a word that is none of them, such as `sentinel`.
  public init?(_ word: String) {
    switch word.lowercased() {
    case "master", "primary": self = .master
    case "slave", "replica", "secondary", "follower": self = .replica
    case "active-replica": self = .activeReplica
    default: return nil
    }
  }

  /// Whether clients may write to it.
  public var takesWrites: Bool { self != .replica }
  /// Whether it follows another server.
  public var follows: Bool { self != .master }
}

/// Whether a server's word says yes or no: `up`, `ok`, `1`, `err`, `down`.
///
/// - Returns: nil for a word that says neither.
public func isYes(_ word: ArraySlice<UInt8>) -> Bool? {
  // Every field of INFO that is no number passes here.
  word.count <= longestWord ? answers[packed(word)] : nil
}

private let longestWord = 12
private let answers: [UInt128: Bool] = {
  let yes = ["1", "ok", "up", "yes", "true", "online", "connected"]
  let no = ["0", "err", "fail", "down", "no", "false", "offline", "error", "disconnected"]
  let all = yes.map { (packed(Array($0.utf8)[...]), true) } + no.map { (packed(Array($0.utf8)[...]), false) }
  return Dictionary(uniqueKeysWithValues: all)
}()

/// A short word in lower case as one number.
private func packed(_ word: ArraySlice<UInt8>) -> UInt128 {
  word.reduce(0) { $0 << 8 | UInt128($1 | 0x20) }
}

extension InfoText {
  /// Whether the field says yes; nil without it, and for a word that says neither.
  public func flag(_ name: String) -> Bool? { self[name].flatMap { isYes($0) } }
}
