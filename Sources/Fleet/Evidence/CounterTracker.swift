import Redis
import Runtime

/// The counts of INFO whose rise tells what a server was busy with. Absent ones are NaN.
public struct ServerCounts: Sendable, Equatable {
  static let names = [
    "total_connections_received", "rejected_connections", "sync_full", "sync_partial_ok", "sync_partial_err",
    "client_output_buffer_limit_disconnections", "evicted_keys", "expired_keys", "total_commands_processed",
    "total_error_replies", "keyspace_hits", "keyspace_misses", "aof_delayed_fsync", "total_net_output_bytes",
  ]

  private let values: [Double]

  init(_ info: InfoText) { values = Self.names.map { info.finite($0) ?? .nan } }

  /// - Returns: nil where the server does not tell.
  subscript(name: String) -> Double? {
    Self.names.firstIndex(of: name).map { values[$0] }.flatMap { $0.isNaN ? nil : $0 }
  }
}

/// What each member counted a minute or so ago, to compare with when something happens. Pure.
struct CounterTracker: Sendable {
  /// Counts at a moment before.
  struct Past: Sendable {
    let counts: ServerCounts
    let wall: WallTime
  }
  private struct Entry: Sendable {
    var runID: String
    var past: [Past]
  }

  /// Between two that are kept.
  static let paceSeconds = 20.0
  /// The oldest that is kept is at least so old, once it is watched for that long.
  static let reachSeconds = 60.0

  private var entries: [NodeAddress: Entry] = [:]

  mutating func note(_ readings: [MemberReading]) {
    for reading in readings {
      guard let facts = reading.facts else { continue }
      var entry = entries[reading.address] ?? Entry(runID: facts.server.runID, past: [])
      if entry.runID != facts.server.runID { entry = Entry(runID: facts.server.runID, past: []) }
      // The wall clock may have been put back.
      entry.past.removeAll { $0.wall > reading.ended }
      guard entry.past.last.map({ reading.ended - $0.wall >= Self.paceSeconds }) ?? true else { continue }
      entry.past.append(Past(counts: facts.counts, wall: reading.ended))
      while entry.past.count > 1, reading.ended - entry.past[1].wall >= Self.reachSeconds { entry.past.removeFirst() }
      entries[reading.address] = entry
    }
  }

  mutating func forget(_ addresses: Set<NodeAddress>) {
    for address in addresses { entries[address] = nil }
  }

  /// The oldest counts of this run of the server, of about a minute ago; nil where it is not watched for long enough.
  ///
  /// - Parameter runID: which the server has now.
  func past(of address: NodeAddress, runID: String, before now: WallTime) -> Past? {
    guard let entry = entries[address], entry.runID == runID else { return nil }
    return entry.past.first.flatMap { now - $0.wall >= 1 ? $0 : nil }
  }
}
