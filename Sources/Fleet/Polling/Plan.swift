import NIOCore
import Redis

/// What one kind of server is asked in a poll, beyond INFO.
struct Plan: Sendable {
  /// What one collector asks. The steps of a plan are the same objects in all of its polls.
  final class Step: Sendable, Equatable {
    let collector: any Collector
    /// Where the collector's replies stand among those after INFO.
    let replies: Range<Int>
    let commands: [Command]

    init(collector: any Collector, replies: Range<Int>, commands: [Command]) {
      self.collector = collector
      self.replies = replies
      self.commands = commands
    }

    static func == (left: Step, right: Step) -> Bool { left === right }
  }

  let facts: ServerFacts
  let steps: [Step]
  /// When a collector that was refused may be tried again; the plan is then rebuilt.
  let expires: NIODeadline?
  /// The commands after INFO.
  let batch: CommandBatch
  /// INFO and the commands after it, in one write.
  let batchWithInfo: CommandBatch

  /// The step of a command of ``batch``; nil where there is none.
  func step(ofCommand place: Int) -> Step? { steps.first { $0.replies.contains(place) } }

  init(
    facts: ServerFacts, collectors: [any Collector], options: CollectorOptions, refusals: Refusals,
    info: Command, now: NIODeadline
  ) {
    var steps: [Step] = []
    var commands: [Command] = []
    for collector in collectors where refusals.allows(collector.name, at: now) {
      let own = collector.commands(for: facts, options)
      guard !own.isEmpty || collector.readsInfoOnly else { continue }
      steps.append(
        Step(
          collector: collector, replies: commands.count..<commands.count + own.count, commands: own))
      commands += own
    }
    self.facts = facts
    self.steps = steps
    self.expires = refusals.byCollector.values.map(\.retryAt).filter { $0 > now }.min()
    self.batch = CommandBatch(commands)
    self.batchWithInfo = CommandBatch([info] + commands)
  }
}
