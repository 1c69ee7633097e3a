import Redis
import Runtime

/// One poll, as a collector sees it: INFO, the replies to its own commands, and what several collectors read of it.
public struct PollContext {
  /// The INFO of this poll.
  public let info: InfoText
  public let server: ServerFacts
  public let options: CollectorOptions
  /// Wall-clock time when the replies arrived, in seconds since the epoch.
  public let now: WallTime

  /// One reply for each command of the collector's own, in order.
  public private(set) var replies: [Reply] = []
  /// By path, of the files that collectors name by ``Collector/file(_:)``: 0 where there is none, nil while it is not known.
  var fileSizesBytes: [String: Int] = [:]

  let steps: [Plan.Step]
  /// To all commands of all steps; fewer where the poll was cut short.
  let allReplies: [Reply]
  private let shared = SharedReadings()

  /// - Parameter replies: those after INFO, in the order of the steps; may be fewer than planned.
  init(
    info: InfoText, server: ServerFacts, steps: [Plan.Step], replies: [Reply], options: CollectorOptions,
    now: WallTime
  ) {
    (self.info, self.server, self.options, self.now) = (info, server, options, now)
    (self.steps, allReplies) = (steps, replies)
  }

  /// Turns to the next collector.
  /// - Returns: whether all its replies have come; otherwise ``replies`` is empty.
  mutating func turn(to step: Plan.Step) -> Bool {
    let own = replies(to: step)
    replies = own ?? []
    return own != nil
  }

  /// - Returns: nil when not all of them came.
  func replies(to step: Plan.Step) -> [Reply]? {
    step.replies.upperBound <= allReplies.count ? Array(allReplies[step.replies]) : nil
  }

  /// The step of another collector; nil where that asks this server nothing.
  func step<C: Collector>(of collector: C.Type) -> Plan.Step? { steps.first { $0.collector is C } }

  /// The first reply to another collector, where one came.
  func reply<C: Collector>(to collector: C.Type) -> Reply? {
    step(of: collector).flatMap { $0.replies.first }.flatMap { $0 < allReplies.count ? allReplies[$0] : nil }
  }

  /// A reading that collectors share: made when the first of them asks for it, and once.
  func reading<R: SharedReading>(_ type: R.Type) -> R? {
    if let known = shared.values[ObjectIdentifier(type)] { return known as? R }
    let made = R.read(self)
    shared.values[ObjectIdentifier(type)] = .some(made)
    return made
  }
}

/// What more than one collector reads of a poll.
protocol SharedReading {
  /// - Returns: nil where the replies do not tell; then nobody asks again in this poll.
  static func read(_ poll: PollContext) -> Self?
}

private final class SharedReadings {
  var values: [ObjectIdentifier: (any SharedReading)?] = [:]
}
