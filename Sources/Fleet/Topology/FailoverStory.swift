import Redis
import Runtime
import Storage

/// A failover as its event tells it. What comes after it completes the story: late phases, and where the clients went.
struct FailoverStory: Sendable, Equatable {
  /// Unique over restarts.
  let key: String
  let workload: String
  let kind: FailoverRecord.Kind
  /// Instances; nil where it is not known.
  let from: String?
  let to: String?
  /// `mymaster`, `5461 slots`, `the master`: what failed over.
  let subject: String
  /// When it was counted, in seconds since the epoch.
  let seconds: Double
  var epoch: Int?
  var phaseSeconds: [FailoverRecord.Phase: Double] = [:]
  var outageSeconds: Double?
  var trouble: String?
  /// Connected clients by instance; those after are nil until they have had time to come back.
  var clientsBefore: [String: Int] = [:]
  var clientsAfter: [String: Int]?

  /// How long clients get to find the new master.
  static let settleSeconds = 8.0
  /// Instances whose clients are reported; the two masters first.
  static let instanceLimit = 200

  /// The first sign of it.
  var beginSeconds: Double { phaseSeconds.values.min() ?? seconds }

  var event: Event {
    let summary =
      kind == .aborted
      ? "failover of \(subject) aborted: \(trouble ?? "no reason was given")"
      : "\(kind.rawValue) failover of \(subject) from \(from ?? "unknown") to \(to ?? "unknown")"
    return Event(
      atSeconds: seconds, workload: workload, node: to ?? "",
      kind: kind == .aborted ? .failoverAborted : .failover, summary: summary, details: details, key: key)
  }

  /// The same failover as it is known now, with the clients that were counted.
  func withClients(of other: FailoverStory) -> FailoverStory {
    var story = self
    (story.clientsBefore, story.clientsAfter) = (other.clientsBefore, other.clientsAfter)
    return story
  }

  private var details: String {
    let phases = FailoverRecord.Phase.allCases.compactMap { phase in
      phaseSeconds[phase].map { "\(jsonString(phase.rawValue)):\($0)" }
    }
    let fields: [String?] = [
      "\"kind\":\(jsonString(kind.rawValue))", from.map { "\"from\":\(jsonString($0))" },
      to.map { "\"to\":\(jsonString($0))" }, epoch.map { "\"epoch\":\($0)" },
      outageSeconds.map { "\"outage_seconds\":\($0)" }, trouble.map { "\"trouble\":\(jsonString($0))" },
      phases.isEmpty ? nil : "\"phases\":{\(phases.joined(separator: ","))}",
      "\"clients_before\":{\(list(clientsBefore))}", clientsAfter.map { "\"clients_after\":{\(list($0))}" },
    ]
    return "{\(fields.compactMap { $0 }.joined(separator: ","))}"
  }

  private func list(_ clients: [String: Int]) -> String {
    let own = [from, to].compactMap { $0 }
    let names = clients.keys.sorted { (own.contains($0) ? 0 : 1, $0) < (own.contains($1) ? 0 : 1, $1) }
    return names.prefix(Self.instanceLimit).map { "\(jsonString($0)):\(clients[$0] ?? 0)" }.joined(separator: ",")
  }
}

extension FailoverStory {
  init(_ record: FailoverRecord, workload: String, instance: (NodeAddress) -> String) {
    self.init(
      key: "\(workload)/failover/\(record.number)", workload: workload, kind: record.kind,
      from: record.from.map(instance), to: record.to.map(instance), subject: record.masterName,
      seconds: record.countedSeconds)
    epoch = record.epoch
    phaseSeconds = record.phaseSeconds
    outageSeconds = record.outageSeconds
    trouble = record.trouble
  }

  init(
    _ failover: ClusterFailoverTracker.Failover, workload: String, from: String, instance: (NodeAddress) -> String
  ) {
    self.init(
      key: "\(workload)/failover/\(failover.toID)/\(failover.epoch)", workload: workload, kind: failover.kind,
      from: from, to: instance(failover.to), subject: "\(failover.slotCount) slots", seconds: failover.seconds)
    epoch = failover.epoch
  }

  init(
    _ failover: ReplicationFailoverTracker.Failover, workload: String, instance: (NodeAddress) -> String
  ) {
    self.init(
      key: "\(workload)/failover/\(failover.number)", workload: workload, kind: failover.kind,
      from: instance(failover.from), to: instance(failover.to), subject: workload, seconds: failover.seconds)
  }
}
