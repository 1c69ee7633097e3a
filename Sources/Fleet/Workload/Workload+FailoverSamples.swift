import Config
import Metrics
import Redis

extension Workload {
  func addFailovers(into sink: inout SampleSink) {
    let counted: [FailoverRecord.Kind] = [.automatic, .manual, .missed]
    let name = config.sentinel.map { LabelValue($0.masterName) } ?? .absent
    guard let counts = failoverCounts else { return }
    for kind in counted {
      sink.add(
        FailoverFamilies.total, archive.count(kind, inMemory: counts[kind] ?? 0), [name, .text(kind.rawValue)])
    }
    sink.add(FailoverFamilies.lastTimestamp, lastFailoverSeconds ?? 0, name)
    guard let failovers else { return }
    sink.add(FailoverFamilies.unconfirmed, Double(failovers.unconfirmedCount), name)
    sink.add(FailoverFamilies.aborted, archive.count(.aborted, inMemory: counts[.aborted] ?? 0), name)
    for (phase, seconds) in newestFailover?.durations ?? [] {
      sink.add(FailoverFamilies.phase, seconds, [name, .text(phase.rawValue)])
    }
  }

  func addSentinels(into sink: inout SampleSink) {
    guard let view = following.sentinelView else { return }
    for (address, listener) in listeners.sorted(by: { $0.key < $1.key }) {
      let instance = factory.instance(of: address, announced: nil)
      sink.add(FailoverFamilies.listening, listener.isListening ? 1 : 0, .text(instance))
    }
    sink.add(FailoverFamilies.sentinelsPresent, Double(view.answeringCount))
    if let count = config.expected.sentinels { sink.add(FailoverFamilies.sentinelsExpected, Double(count)) }
    sink.add(FailoverFamilies.sentinelsDissenting, Double(view.dissenters.count))
    if let hasQuorum = view.hasQuorum { sink.add(FailoverFamilies.hasQuorum, hasQuorum ? 1 : 0) }
    sink.add(FailoverFamilies.addressMixed, view.isAddressMixed ? 1 : 0)
  }
}
