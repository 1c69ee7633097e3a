import Redis
import Runtime
import Storage

extension FailoverRecord {
  /// The record as an event.
  ///
  /// - Parameter clients: connected clients by instance, as they were last seen before.
  func event(workload: String, instance: (NodeAddress) -> String, clients: [String: Int]) -> Event {
    let from = from.map(instance) ?? "unknown"
    let summary =
      switch kind {
      case .aborted: "failover of \(masterName) aborted: \(trouble ?? "no reason was given")"
      case .automatic, .manual, .missed:
        "\(kind.rawValue) failover of \(masterName) from \(from) to \(to.map(instance) ?? "unknown")"
      }
    let phases = FailoverRecord.Phase.allCases.compactMap { phase in
      phaseSeconds[phase].map { "\(jsonString(phase.rawValue)):\($0)" }
    }
    return Event(
      atSeconds: countedSeconds, workload: workload, node: to.map(instance) ?? "",
      kind: kind == .aborted ? .failoverAborted : .failover, summary: summary,
      details: "{\"kind\":\(jsonString(kind.rawValue)),\"phases\":{\(phases.joined(separator: ","))},"
        + "\"clients_before\":{\(clientList(clients))}}",
      key: "\(workload)/failover/\(number)")
  }
}

extension ClusterFailoverTracker.Failover {
  func event(workload: String, from: String, instance: (NodeAddress) -> String, clients: [String: Int]) -> Event {
    Event(
      atSeconds: seconds, workload: workload, node: instance(to), kind: .failover,
      summary: "\(kind.rawValue) failover of \(slotCount) slots from \(from) to \(instance(to))",
      details: "{\"kind\":\(jsonString(kind.rawValue)),\"epoch\":\(epoch),\"clients_before\":{\(clientList(clients))}}",
      key: "\(workload)/failover/\(toID)/\(epoch)")
  }
}

private func clientList(_ clients: [String: Int]) -> String {
  clients.sorted { $0.key < $1.key }.map { "\(jsonString($0.key)):\($0.value)" }.joined(separator: ",")
}
