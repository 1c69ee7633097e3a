import Config

/// What the key watches of a workload look for, database by database. However many patterns there are, a database is
/// walked once for locks and circuits and once for streams.
struct WatchPlan: Sendable {
  struct Walk: Sendable {
    let database: Int
    /// What SCAN is asked to match, or nil for all names.
    let match: [UInt8]?
    /// What SCAN is asked for as TYPE, where the server knows that (6.0); nil for all types.
    let type: String?
    fileprivate let locks: [Glob]
    fileprivate let circuits: KeyWatches.Circuits?
    fileprivate let isCluster: Bool
    fileprivate let streams: [Glob]
  }

  /// What a key is to be looked at for. One key may be of several kinds.
  struct Interest: Sendable, Equatable {
    var isLock = false
    /// The service whose failures the key counts.
    var service: String?
    var isStream = false
  }

  let watches: KeyWatches
  let walks: [Walk]
  /// Streams that are known by name, by database.
  let namedStreams: Set<StreamName>

  /// - Parameter isCluster: it has one database, whatever a pattern says.
  init(_ watches: KeyWatches, isCluster: Bool) {
    self.watches = watches
    func database(_ pattern: KeyPattern) -> Int { isCluster ? 0 : pattern.database }
    let locks = watches.locks.isOn ? watches.locks.patterns : []
    let circuits = watches.circuits.isOn ? watches.circuits.patterns : []
    let streams = watches.streams.isOn ? watches.streams.patterns : []
    namedStreams = Set(streams.filter { !$0.isGlob }.map { StreamName(database: database($0), bytes: $0.bytes) })
    let globs = streams.filter(\.isGlob)
    var walks: [Walk] = []
    for number in Set((locks + circuits).map(database)).sorted() {
      let own = locks.filter { database($0) == number }
      let services = circuits.filter { database($0) == number }
      walks.append(
        Walk(
          database: number, match: ScanMatch.covering((own + services).map(\.bytes)), type: nil,
          locks: own.map { Glob($0.bytes) }, circuits: services.isEmpty ? nil : watches.circuits,
          isCluster: isCluster, streams: []))
    }
    for number in Set(globs.map(database)).sorted() {
      let own = globs.filter { database($0) == number }
      walks.append(
        Walk(
          database: number, match: ScanMatch.covering(own.map(\.bytes)), type: "stream", locks: [], circuits: nil,
          isCluster: isCluster, streams: own.map { Glob($0.bytes) }))
    }
    self.walks = walks
  }
}

extension WatchPlan.Walk {
  /// - Returns: nil for a key that nobody asked for.
  func interest(in key: [UInt8]) -> WatchPlan.Interest? {
    var interest = WatchPlan.Interest()
    interest.isLock = locks.contains { $0.matches(key[...]) }
    interest.service = circuits?.service(ofKey: key, database: isCluster ? nil : database)
    interest.isStream = streams.contains { $0.matches(key[...]) }
    return interest == WatchPlan.Interest() ? nil : interest
  }
}

/// A stream of one database.
struct StreamName: Sendable, Hashable, Comparable {
  let database: Int
  let bytes: [UInt8]

  static func < (left: StreamName, right: StreamName) -> Bool {
    left.database == right.database
      ? left.bytes.lexicographicallyPrecedes(right.bytes) : left.database < right.database
  }
}
