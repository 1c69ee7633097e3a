import Metrics
import Redis

/// What all clients of a server are and hold together, in a bounded number of series.
struct ClientTotals {
  private struct Total {
    var count = 0.0
    var idleMax = 0.0
    var ageMax = 0.0
    var queryBytes = 0.0
    var outputBytes = 0.0
    var outputBytesMax = 0.0
    /// Absent where the server does not tell (before 6.2).
    var memoryBytes: Double?
  }

  private var totals: [ConnectedClient.Kind: Total] = [:]
  private var counts: [ArraySlice<UInt8>: Double] = [:]
  private var states: [Double] = Self.states.map { _ in 0 }

  private static let states: [(state: String, flags: [Unicode.Scalar])] = [
    ("blocked", ["b"]), ("transaction", ["x"]), ("tracking", ["t"]), ("closing", ["c", "A"]),
  ]

  private static let whereCounted: [Family.Trait] = [.flag("`--export-client-aggregates` or `--export-client-list`")]
  private static let connections = perKind("client_connections", .none, "Connections by purpose", "flags")
  private static let inState = Family.gauge(
    "client_connections_in_state", "Connections in the state; one connection may be in several (CLIENT LIST flags).",
    labels: ["state"], traits: whereCounted)
  private static let byName = Family.gauge(
    "client_connections_by_name",
    "Connections by client name, for the most common names; the rest is counted as other (CLIENT LIST name).",
    labels: ["name"], traits: whereCounted)
  private static let idleMax = perKind(
    "client_idle_seconds_max", .seconds, "Longest time that a connection has been idle, in seconds", "idle")
  private static let ageMax = perKind(
    "client_age_seconds_max", .seconds, "Age of the oldest connection, in seconds", "age")
  private static let query = perKind(
    "client_query_buffers_bytes", .bytes, "Bytes in the query buffers of all connections", "qbuf")
  private static let output = perKind(
    "client_output_buffers_bytes", .bytes, "Bytes in the output buffers and lists of all connections", "obl and omem")
  private static let outputMax = perKind(
    "client_output_buffer_bytes_max", .bytes, "Bytes in the largest output buffer and list of a connection",
    "obl and omem")
  private static let memory = perKind(
    "client_memory_bytes", .bytes, "Memory of all buffers of all connections, in bytes", "tot-mem")

  static let families = [
    connections, inState, byName, idleMax, ageMax, query, output, outputMax, memory,
  ]

  private static func perKind(_ name: String, _ unit: Unit, _ help: String, _ field: String) -> Family {
    .gauge(name, "\(help) (CLIENT LIST \(field)).", labels: ["kind"], unit: unit, traits: whereCounted)
  }

  mutating func add(_ client: ConnectedClient) {
    var total = totals[client.kind] ?? Total()
    total.count += 1
    total.idleMax = max(total.idleMax, client["idle"] ?? 0)
    total.ageMax = max(total.ageMax, client["age"] ?? 0)
    total.queryBytes += client["qbuf"] ?? 0
    let outputBytes = (client["obl"] ?? 0) + (client["omem"] ?? 0)
    total.outputBytes += outputBytes
    total.outputBytesMax = max(total.outputBytesMax, outputBytes)
    if let bytes = client["tot-mem"] { total.memoryBytes = (total.memoryBytes ?? 0) + bytes }
    totals[client.kind] = total
    counts[client.name, default: 0] += 1
    for (index, state) in Self.states.enumerated() where state.flags.contains(where: client.has) {
      states[index] += 1
    }
  }

  /// - Parameter namesLimit: how many names have a series of their own; the most used ones, ties by name.
  func write(namesLimit: Int, into sink: inout SampleSink) {
    for kind in ConnectedClient.Kind.allCases {
      let label = LabelValue(kind.rawValue)
      sink.add(Self.connections, totals[kind]?.count ?? 0, label)
      guard let total = totals[kind] else { continue }
      sink.add(Self.idleMax, total.idleMax, label)
      sink.add(Self.ageMax, total.ageMax, label)
      sink.add(Self.query, total.queryBytes, label)
      sink.add(Self.output, total.outputBytes, label)
      sink.add(Self.outputMax, total.outputBytesMax, label)
      if let bytes = total.memoryBytes { sink.add(Self.memory, bytes, label) }
    }
    for (index, state) in Self.states.enumerated() {
      sink.add(Self.inState, states[index], LabelValue(state.state))
    }
    writeNames(limit: namesLimit, into: &sink)
  }

  private func writeNames(limit: Int, into sink: inout SampleSink) {
    let ranked = counts.sorted { left, right in
      left.value != right.value ? left.value > right.value : left.key.lexicographicallyPrecedes(right.key)
    }
    var other = 0.0
    for (index, (name, count)) in ranked.enumerated() {
      if index >= max(limit, 0) || name.elementsEqual("other".utf8) {
        other += count
      } else {
        sink.add(Self.byName, count, name.isEmpty ? "unnamed" : LabelValue(name))
      }
    }
    sink.add(Self.byName, other, "other")
  }
}
