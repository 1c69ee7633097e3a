import Metrics
import NIOCore
import Redis

/// Turns the replies of one poll into samples, collector by collector. Pure: no I/O, no clock.
struct PollReading {
  /// What came of one collector.
  enum Outcome: Equatable {
    case success
    /// The server will not answer this; the reason for the label.
    case refused(String)
    /// The replies were errors or of another shape; the words for the log.
    case failed(String)
    /// Not all replies came before the deadline.
    case missing
  }

  private(set) var outcomes: [(collector: String, outcome: Outcome)] = []
  /// What the poll says of the server as a member; nil unless ``MembershipCollector`` is among the collectors.
  private(set) var member: MemberFacts?

  /// Runs every step of the plan.
  ///
  /// - Parameter replies: the replies after INFO, in the plan's order; may be fewer than planned.
  mutating func read(
    _ plan: Plan, info: InfoText, replies: [Reply], options: CollectorOptions, nowSeconds: Double,
    into sink: inout SampleSink
  ) {
    func reply<C: Collector>(to collector: C.Type) -> Reply? { plan.reply(to: collector, among: replies) }
    let config = reply(to: ConfigCollector.self).flatMap { ServerConfig($0) }
    let usages = CommandUsages(info)
    let latencies = reply(to: LatencyHistogramCollector.self).flatMap { CommandLatencies($0, usages: usages) }
    for step in plan.steps {
      let outcome = run(
        step, info: info, facts: plan.facts, replies: replies, options: options,
        nowSeconds: nowSeconds, config: config, usages: usages, latencies: latencies, into: &sink)
      outcomes.append((step.collector.name, outcome))
      if step.collector is MembershipCollector {
        member = MemberFacts(
          info, config: config, replies: outcome == .success ? Array(replies[step.replies]) : [],
          masterNames: MembershipCollector.masterNames(in: step.commands), server: plan.facts, nowSeconds: nowSeconds)
        member?.latency = latencies.map { CommandLatency(merging: $0) }
        member?.clusterMessages = reply(to: ClusterCollector.self)?.bytes.flatMap {
          ClusterTestimony.Messages(InfoText($0))
        }
      }
    }
  }

  private func run(
    _ step: Plan.Step, info: InfoText, facts: ServerFacts, replies: [Reply],
    options: CollectorOptions, nowSeconds: Double, config: ServerConfig?,
    usages: CommandUsages, latencies: CommandLatencies?, into sink: inout SampleSink
  ) -> Outcome {
    guard step.replies.upperBound <= replies.count else { return .missing }
    let own = Array(replies[step.replies])
    if let index = own.firstIndex(where: \.isError) {
      let text = printable(own[index].bytes ?? [])
      if let reason = Refusals.reason(for: own[index].errorCode ?? "", text: text) {
        return .refused(reason)
      }
      if !step.collector.acceptsErrors {
        return .failed("\(step.commands[index]) was answered: \(text)")
      }
    }
    let input = CollectorInput(
      info: info, replies: own, server: facts, options: options, nowSeconds: nowSeconds,
      config: config, usages: usages, latencies: latencies)
    do throws(CollectorError) {
      try step.collector.collect(input, into: &sink)
      return .success
    } catch {
      return .failed(error.description)
    }
  }
}
