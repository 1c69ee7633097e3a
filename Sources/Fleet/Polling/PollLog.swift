import Logging
import Redis

/// What is logged of a target's polls: each change once, not every poll.
struct PollLog {
  private let log: Logger
  /// What was said last of each collector that failed.
  private var complaints: [String: String] = [:]
  private var cutReplies: Set<String> = []

  init(log: Logger) { self.log = log }

  mutating func note(_ outcomes: [(collector: String, outcome: PollReading.Outcome)]) {
    for (collector, outcome) in outcomes {
      switch outcome {
      case .success:
        if complaints.removeValue(forKey: collector) != nil {
          log.info("collector works again", metadata: ["collector": "\(collector)"])
        }
      case .refused: break
      case .failed(let text), .missing(let text): complain(collector, text)
      }
    }
  }

  /// Names each reply that is cut, once until it is whole again.
  mutating func note(cuts: [(reply: String, lineCount: Int)]) {
    guard !cuts.isEmpty || !cutReplies.isEmpty else { return }
    for cut in cuts where !cutReplies.contains(cut.reply) {
      log.warning(
        "a reply has too many lines; the last ones are left out",
        metadata: ["reply": "\(cut.reply)", "lines": "\(cut.lineCount)"])
    }
    cutReplies = Set(cuts.map(\.reply))
  }

  func tooLarge(_ collector: String, _ command: Command, _ error: RedisError) {
    log.warning(
      "a reply is too large; the collector's series are absent and it is asked again later, at most once an hour",
      metadata: ["collector": "\(collector)", "command": "\(command)", "error": "\(error.message)"])
  }

  func refused(_ collector: String, _ reason: String) {
    log.warning(
      "the server refuses a collector; its series are absent and it is asked again in an hour",
      metadata: ["collector": "\(collector)", "reason": "\(reason)"])
  }

  func tell(_ state: TargetState, after previous: TargetState?) {
    guard state.name != previous?.name else { return }
    if let error = state.error {
      log.error(
        "target is down", metadata: ["class": "\(error.errorClass.rawValue)", "error": "\(error.message)"])
    } else {
      log.info("target is \(state.name)")
    }
  }

  private mutating func complain(_ collector: String, _ text: String) {
    guard complaints.updateValue(text, forKey: collector) != text else { return }
    log.warning("collector failed", metadata: ["collector": "\(collector)", "error": "\(text)"])
  }
}
