import Redis
import Runtime
import Storage

/// The events of failovers: at once what happened, and later, once clients had time to find the new master, where they went.
/// Pure.
struct FailoverLog: Sendable {
  /// How long clients get to find the new master.
  static let settleSeconds = 8.0

  let workload: String
  /// Between two polls of a member.
  let pollSeconds: Double
  /// The newest, also of aborted attempts; nil before the first that this daemon counts.
  private(set) var newest: Failover?
  /// What happened in the newest failover, as far as it is known.
  private(set) var lastSummary: String?
  private var clients = ClientTracker()
  /// Those that were told, and whose events are to be completed.
  private var open: [Entry] = []

  init(workload: String, pollSeconds: Double) {
    self.workload = workload
    self.pollSeconds = pollSeconds
  }

  /// Takes over what happened before this daemon was started.
  mutating func recall(_ summary: String) { lastSummary = lastSummary ?? summary }

  /// Takes in how many clients each member has, by `instance`.
  mutating func note(_ readings: [MemberReading], instance: (NodeAddress) -> String) {
    let names = Dictionary(readings.map { ($0.address, instance($0.address)) }, uniquingKeysWith: { first, _ in first })
    for reading in readings {
      guard let count = reading.facts?.connectedClients, let name = names[reading.address] else { continue }
      clients.note(count, of: name, at: reading.ended)
    }
    clients.forget(allBut: Set(names.values))
  }

  /// - Returns: its event, as far as it is known now.
  mutating func begin(_ failover: Failover, instance: (NodeAddress) -> String) -> Event {
    var entry = Entry(failover, workload: workload, instance: instance)
    // Before the newest polls of each member, what only they show had not taken place.
    let began = failover.phases.values.min() ?? failover.counted - pollSeconds
    entry.clientsBefore = clients.counts(at: began)
    open.append(entry)
    newest = failover
    let event = entry.event
    if failover.kind != .aborted { lastSummary = event.summary }
    return event
  }

  /// More is known of a failover.
  mutating func revise(_ failover: Failover, instance: (NodeAddress) -> String) {
    if newest?.key == failover.key { newest = failover }
    for index in open.indices where open[index].failover.key == failover.key {
      let clientsBefore = open[index].clientsBefore
      open[index] = Entry(failover, workload: workload, instance: instance)
      open[index].clientsBefore = clientsBefore
    }
  }

  /// - Returns: the completed events of failovers whose clients have had time to find the new master.
  mutating func finish(at wall: WallTime) -> [Event] {
    guard !open.isEmpty else { return [] }
    let isOver = { (entry: Entry) in wall - entry.failover.counted >= Self.settleSeconds }
    defer { open.removeAll(where: isOver) }
    return open.filter(isOver).map { entry in
      var entry = entry
      entry.clientsAfter = clients.counts(since: entry.failover.counted)
      return entry.event
    }
  }
}

extension FailoverLog {
  /// A failover with the names of its servers and with its clients.
  struct Entry: Sendable {
    /// Instances whose clients are reported; the two masters first.
    static let instanceLimit = 200

    let failover: Failover
    let workload: String
    /// Instances; nil where it is not known.
    let from: String?
    let to: String?
    /// Connected clients by instance; those after are nil until they have had time to come back.
    var clientsBefore: [String: Int] = [:]
    var clientsAfter: [String: Int]?

    init(_ failover: Failover, workload: String, instance: (NodeAddress) -> String) {
      self.failover = failover
      self.workload = workload
      from = failover.from.map(instance) ?? failover.fromID
      to = failover.to.map(instance)
    }

    var event: Event {
      let (kind, subject) = (failover.kind, failover.subject)
      let summary =
        kind == .aborted
        ? "failover of \(subject) aborted: \(failover.trouble ?? "no reason was given")"
        : "\(kind.rawValue) failover of \(subject) from \(from ?? "unknown") to \(to ?? "unknown")"
      return Event(
        at: failover.counted, workload: workload, node: to ?? "",
        kind: kind == .aborted ? .failoverAborted : .failover, summary: summary, details: details,
        key: "\(workload)/failover/\(failover.key)")
    }

    private var details: String {
      JSONWriter.text { json in
        json.object { json in
          json.field("kind", failover.kind.rawValue)
          if let from { json.field("from", from) }
          if let to { json.field("to", to) }
          if let epoch = failover.epoch { json.field("epoch", epoch) }
          if let seconds = failover.outageSeconds { json.field("outage_seconds", seconds) }
          if let trouble = failover.trouble { json.field("trouble", trouble) }
          if !failover.phases.isEmpty {
            json.key("phases")
            json.object { json in
              for phase in Failover.Phase.allCases {
                if let time = failover.phases[phase] { json.field(phase.rawValue, time.seconds) }
              }
            }
          }
          json.key("clients_before")
          write(clientsBefore, to: &json)
          guard let clientsAfter else { return }
          json.key("clients_after")
          write(clientsAfter, to: &json)
        }
      }
    }

    private func write(_ clients: [String: Int], to json: inout JSONWriter) {
      let own = [from, to].compactMap { $0 }
      let names = clients.keys.sorted { (own.contains($0) ? 0 : 1, $0) < (own.contains($1) ? 0 : 1, $1) }
      json.object { json in
        for name in names.prefix(Self.instanceLimit) { json.field(name, clients[name] ?? 0) }
      }
    }
  }
}
