import Config
import Metrics
import Redis
import Runtime

extension Workload {
  /// `workload` and `environment`, which all series of the workload carry.
  static func labels(_ config: WorkloadConfig) -> [(name: String, value: LabelValue)] {
    [("workload", .text(config.name))] + (config.environment.map { [("environment", .text($0))] } ?? [])
  }

  private var labels: [(name: String, value: LabelValue)] { Self.labels(config) }

  func publish(nowSeconds now: Double) {
    let state = state(atSeconds: now)
    var verdict = Verdict(CheckCatalogue.all, of: state)
    findings.note(verdict.findings, atSeconds: state.wallSeconds)
    verdict.addSummary(config.name, factory.context.findingAllowance)
    verdict.add { sink in
      state.addFigures(into: &sink)
      addBounds(into: &sink)
      addFailovers(into: &sink)
      addSentinels(into: &sink)
      factory.lateness.collect(into: &sink)
    }
    archive.append(
      driftJournal.note(state.drift, isNews: isSettled, workload: config.name, atSeconds: state.wallSeconds))
    page.publish(verdict.samples(constantLabels: labels), under: "state")
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

  /// What was turned away or left out.
  private func addBounds(into sink: inout SampleSink) {
    if config.topology != .static {
      for reason in MemberRefusal.allCases {
        sink.add(WorkloadFamilies.membersRefused, Double(turnedAway.counts[reason] ?? 0), .text(reason.rawValue))
      }
    }
    sink.add(WorkloadFamilies.eventsOmitted, Double(archive.omittedEventCount))
    sink.add(WorkloadFamilies.logLinesOmitted, Double(logPace.omittedCount))
  }
}
