import Redis
import Runtime
import TestSupport

@testable import Fleet

extension PollContext {
  /// The poll of a server that answers a collector so, and perhaps CONFIG GET *.
  init(
    _ collector: any Collector, _ info: InfoText, _ replies: [Reply], config: Reply? = nil,
    options: CollectorOptions = .everything, now: WallTime = 1e9
  ) {
    var steps: [Plan.Step] = []
    let others = config.map { [$0] } ?? []
    if !others.isEmpty { steps.append(Plan.Step(collector: ConfigCollector(), replies: 0..<1, commands: [])) }
    let own = Plan.Step(
      collector: collector, replies: others.count..<(others.count + replies.count),
      commands: collector.commands(for: ServerFacts(info), options))
    self.init(
      info: info, server: ServerFacts(info), steps: steps + [own], replies: others + replies, options: options,
      now: now)
    _ = turn(to: own)
    if let path = collector.file(self) { fileSizesBytes[path] = path.hasSuffix("/dump.rdb") ? 88 : 0 }
  }
}
