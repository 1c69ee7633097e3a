import Config
import Metrics
import Redis
import Runtime

/// The samples of a workload that judge nothing.
extension WorkloadState {
  private static let roles = ["master", "replica"]

  func addFigures(into sink: inout SampleSink) {
    sink.add(WorkloadFamilies.inPeak, isInPeak ? 1 : 0)
    sink.add(WorkloadFamilies.inMaintenance, isInMaintenance ? 1 : 0)
    for member in members { add(member, into: &sink) }
    addCounts(into: &sink)
  }

  private func add(_ member: Member, into sink: inout SampleSink) {
    let instance = LabelValue(member.instance)
    ObjectiveFamilies.add(objectives, evictionsAllowed: areEvictionsAllowed, member.instance, into: &sink)
    if let offset = member.facts?.clockOffsetSeconds { sink.add(WorkloadFamilies.clockOffset, offset, instance) }
    addLoad(of: member, instance, into: &sink)
    if let facts = member.facts?.replication {
      for role in Self.roles {
        sink.add(WorkloadFamilies.role, (role == "master") == facts.isMaster ? 1 : 0, [instance, .text(role)])
      }
    }
    let standing = member.standing?.name ?? ""
    for name in Roster.State.names {
      sink.add(WorkloadFamilies.memberState, name == standing ? 1 : 0, [instance, .text(name)])
    }
    sink.add(WorkloadFamilies.breakerOpen, member.isLeftAlone ? 1 : 0, instance)
  }

  private func addLoad(of member: Member, _ instance: LabelValue, into sink: inout SampleSink) {
    if member.facts != nil, let ratio = member.load.eventLoopBusyRatio {
      sink.add(LoadFamilies.eventLoopBusy, ratio, instance)
    }
    guard let step = objectives.latencyP99.flatMap({ SlowCommands.step(within: $0.seconds) }),
      let count = member.load.slowCommandCount
    else { return }
    sink.add(LoadFamilies.slowCommands, count, instance)
    sink.add(LoadFamilies.slowCommandsEdge, LatencyGrid.edgeSeconds[step], instance)
  }

  private func addCounts(into sink: inout SampleSink) {
    let replication = members.compactMap { $0.facts?.replication }
    // Who has not been asked yet is not missing.
    func present(_ count: Int) -> Int? { isPolled ? count : nil }
    let counts: [(Family, Int?)] = [
      (WorkloadFamilies.membersPresent, present(members.count { $0.answers == true })),
      (WorkloadFamilies.mastersPresent, present(replication.count(where: \.isMaster))),
      (WorkloadFamilies.replicasOnline, present(replication.count { $0.role.follows && $0.isLinkUp == true })),
      (WorkloadFamilies.membersExpected, config.expected.nodes),
      (WorkloadFamilies.mastersExpected, config.expected.masters),
      (WorkloadFamilies.replicasExpected, config.expected.replicas),
    ]
    for (family, count) in counts {
      if let count { sink.add(family, Double(count)) }
    }
  }
}
