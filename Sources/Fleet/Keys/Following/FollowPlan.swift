import Config
import Redis

/// What a server is asked to name, and who wants a key that it names. Pure.
struct FollowPlan: Sendable {
  /// A key, and what it is.
  struct Key: Sendable, Hashable {
    enum Kind: Sendable { case lock, circuit }
    let name: KeyName
    let kind: Kind
  }

  let locks: LockWatch?
  let circuits: CircuitWatch?
  /// None is the beginning of another: a server refuses that, and the shorter one names the keys of both.
  let prefixes: [[UInt8]]
  private let globs: [(kind: Key.Kind, database: Int, glob: Glob)]

  /// - Returns: nil where nothing is to be followed.
  init?(_ watches: KeyWatches) {
    guard watches.follow != .off else { return nil }
    locks = watches.on.lazy.compactMap { $0 as? LockWatch }.first
    circuits = watches.on.lazy.compactMap { $0 as? CircuitWatch }.first
    let patterns = (locks?.globs ?? []).map { (Key.Kind.lock, $0) } + (circuits?.globs ?? []).map { (.circuit, $0) }
    guard !patterns.isEmpty else { return nil }
    globs = patterns.map { kind, pattern in (kind, pattern.database, Glob(pattern.bytes)) }
    prefixes = Self.covering(patterns.map(\.1.literalPrefix))
  }

  /// The fewest prefixes that all of these begin with.
  static func covering(_ prefixes: [[UInt8]]) -> [[UInt8]] {
    var kept: [[UInt8]] = []
    // A prefix comes before all that it begins.
    for prefix in prefixes.sorted(by: { $0.lexicographicallyPrecedes($1) })
    where kept.last.map({ !prefix.starts(with: $0) }) ?? true {
      kept.append(prefix)
    }
    return kept
  }

  /// The keys of this name that are watched, one of each database that a pattern names.
  ///
  /// - Parameter inOneDatabase: whatever the patterns say.
  func keys(named name: [UInt8], inOneDatabase: Bool) -> [Key] {
    var keys: [Key] = []
    for (kind, database, glob) in globs where glob.matches(name[...]) {
      let key = KeyName(database: inOneDatabase ? 0 : database, bytes: name)
      // What is a lock is no circuit.
      if !keys.contains(where: { $0.name == key }) { keys.append(Key(name: key, kind: kind)) }
    }
    return keys
  }

  func terms(of key: KeyName, inOneDatabase: Bool) -> HoldTerms? {
    let contract = locks?.contracts.first { $0.covers(key, inOneDatabase: inOneDatabase) }
    return contract.map { HoldTerms(ttlSeconds: $0.ttl.seconds, isReleaseRequired: $0.release == .required) }
  }
}

/// What the contract of a lock says.
struct HoldTerms: Sendable, Equatable {
  let ttlSeconds: Double
  let isReleaseRequired: Bool
}
