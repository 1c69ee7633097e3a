import Config
import Metrics
import Redis
import Runtime

extension Workload {
  static let roles = ["master", "replica"]

  /// `workload` and `environment`, which all series of the workload carry.
  static func labels(_ config: WorkloadConfig) -> [(name: String, value: LabelValue)] {
    [("workload", .text(config.name))] + (config.environment.map { [("environment", .text($0))] } ?? [])
  }

  private var labels: [(name: String, value: LabelValue)] { Self.labels(config) }

  func publish(nowSeconds now: Double) {
    var sink = SampleSink()
    let readings = members.mapValues(\.reading)
    addMembers(readings, nowSeconds: now, into: &sink)
    addCounts(readings, into: &sink)
    addBounds(into: &sink)
    addFailovers(into: &sink)
    addSentinels(into: &sink)
    addTopology(readings, atSeconds: now, into: &sink)
    factory.lateness.collect(into: &sink)
    archive.append(
      driftJournal.note(drift, isNews: isSettled, workload: config.name, atSeconds: wallClockSeconds()))
    page.publish(sink.finish(constantLabels: labels), under: "state")
    publishInfo()
  }

  /// The configured labels stand on this family alone.
  private func publishInfo() {
    var sink = SampleSink()
    sink.add(WorkloadFamilies.info, 1, [.text(config.kind.rawValue), .text(config.topology.rawValue)])
    let team = config.team.map { [(name: "team", value: LabelValue.text($0))] } ?? []
    let further = config.labels.sorted { $0.key < $1.key }.map { (name: $0.key, value: LabelValue.text($0.value)) }
    page.publish(sink.finish(constantLabels: labels + team + further), under: "info")
  }

  private func addMembers(
    _ readings: [NodeAddress: MemberReading], nowSeconds now: Double, into sink: inout SampleSink
  ) {
    let wall = wallClockSeconds()
    let time = Timestamp(epochMs: Int64(clamping: wall * 1000))
    let objectives = config.objectives(at: time)
    let evictionsAllowed = config.areEvictionsAllowed(at: time)
    sink.add(JudgementFamilies.inPeak, config.isInPeak(at: time) ? 1 : 0)
    sink.add(JudgementFamilies.inMaintenance, config.isInMaintenance(at: time) ? 1 : 0)
    for (address, member) in members.sorted(by: { $0.key < $1.key }) {
      let instance = LabelValue(member.instance)
      ObjectiveFamilies.add(objectives, evictionsAllowed: evictionsAllowed, member.instance, into: &sink)
      if let facts = readings[address]?.facts {
        addJudgement(of: member, facts, nowSeconds: wall, into: &sink)
      }
      addLag(of: member, atSeconds: now, into: &sink)
      addLoad(of: member, readings[address]?.facts, objectives, into: &sink)
      if let facts = readings[address]?.facts?.replication {
        for role in Self.roles {
          sink.add(WorkloadFamilies.role, (role == "master") == facts.isMaster ? 1 : 0, [instance, .text(role)])
        }
      }
      let state = roster.members[address]?.name ?? ""
      for name in Roster.State.names {
        sink.add(WorkloadFamilies.memberState, name == state ? 1 : 0, [instance, .text(name)])
      }
      sink.add(WorkloadFamilies.breakerOpen, member.schedule.isBreakerOpen ? 1 : 0, instance)
    }
  }

  /// What was turned away or left out.
  private func addBounds(into sink: inout SampleSink) {
    if config.topology != .static {
      for reason in TurnedAway.Reason.allCases {
        sink.add(WorkloadFamilies.membersRefused, Double(turnedAway.counts[reason] ?? 0), .text(reason.rawValue))
      }
    }
    sink.add(WorkloadFamilies.eventsOmitted, Double(archive.omittedEventCount))
    sink.add(WorkloadFamilies.logLinesOmitted, Double(logPace.omittedCount))
  }

  private func addCounts(_ readings: [NodeAddress: MemberReading], into sink: inout SampleSink) {
    let up = readings.values.compactMap { $0.facts?.replication }
    sink.add(WorkloadFamilies.membersPresent, Double(readings.values.count { $0.answers == true }))
    sink.add(WorkloadFamilies.mastersPresent, Double(up.count(where: \.isMaster)))
    sink.add(WorkloadFamilies.replicasOnline, Double(up.count { !$0.isMaster && $0.isLinkUp }))
    if let count = config.expected.nodes { sink.add(WorkloadFamilies.membersExpected, Double(count)) }
    if let count = config.expected.masters { sink.add(WorkloadFamilies.mastersExpected, Double(count)) }
    if let count = config.expected.replicas { sink.add(WorkloadFamilies.replicasExpected, Double(count)) }
  }
}
