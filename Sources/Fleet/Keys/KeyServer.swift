import Metrics
import Redis

/// What INFO says of a server that decides what is done with its keys.
struct KeyServer: Sendable {
  let facts: ServerFacts
  /// Whether single keys are to be looked at; they are counted in any case.
  var showsKeys = true
  /// Each node has a part of the keys.
  var isCluster = false
  /// Keys of each database that has some; nil where that is not known.
  var keyCounts: [Int: Double]?

  init(facts: ServerFacts) { self.facts = facts }

  /// - Parameter info: nil where the server does not tell.
  init(_ info: InfoText?, skipsMasters: Bool = false, isCluster: Bool = false, readsKeyspace: Bool = false) {
    facts = ServerFacts(info ?? InfoText(bytes: []))
    showsKeys = !(skipsMasters && info?.text("role").flatMap { ReplicationRole($0) } == .master)
    self.isCluster = isCluster
    keyCounts = isCluster || !readsKeyspace ? nil : info.flatMap(Self.keyCounts)
  }

  /// Whatever patterns say, there is one database: in clusters before Valkey 9.
  var hasOneDatabase: Bool { isCluster && !facts.knowsClusterDatabases }
  /// Whether SCAN can leave out keys of other types (6.0).
  var knowsScanTypes: Bool { facts.version >= Version(6) }
  var keyTotal: Double? { keyCounts?.values.reduce(0, +) }
  func hasKeys(_ database: Int) -> Bool { keyCounts.map { $0[database, default: 0] > 0 } ?? true }

  /// `db3:keys=10,expires=2,avg_ttl=0` lines; nil where they are missing and not only empty, or were counted long ago.
  static func keyCounts(_ info: InfoText) -> [Int: Double]? {
    guard info.keyCounting == .current else { return nil }
    var counts: [Int: Double] = [:]
    for field in info.fields {
      let name = info.name(of: field)
      guard name.starts(with: "db".utf8), let database = parseInteger(name.dropFirst(2)), database >= 0,
        database < KeyWorkLimits.databases,
        let keys = InfoPairs(info.value(of: field)).first(where: { $0.key.elementsEqual("keys".utf8) }),
        let count = parseDouble(keys.value)
      else { continue }
      counts[database] = count
    }
    return counts.isEmpty && !info.hasSection(InfoSection.keyspace) ? nil : counts
  }
}

extension ServerFacts {
  /// Whether XINFO STREAM FULL counts entries that were given back (Redis 8.8).
  var knowsNacked: Bool { valkeyVersion == nil && version >= Version(8, 8) }
  /// Whether a cluster may have several databases (Valkey 9).
  var knowsClusterDatabases: Bool { valkeyVersion.map { $0 >= Version(9) } ?? false }
  /// Whether it has vector sets of its own (Redis 8).
  var knowsVectorSets: Bool { valkeyVersion == nil && version >= Version(8) }
  /// Whether a connection can look at keys without using them (Redis 7.2, Valkey).
  var knowsNoTouch: Bool { version >= Version(7, 2) }
}
