import NIOCore
import Redis

/// Remembers which collectors a server refuses, so that it is not asked again and again.
///
/// A refusal (no permission, no such command) stands for an hour, then is tried once more; a new server at the address
/// starts afresh. Every attempt raises an error counter on the server, and may stand in its ACL log. A collector whose
/// replies are too large is left out as well, for a minute at first, then for twice as long each time, up to the hour.
struct Refusals: Sendable {
  static let retryAfter: TimeAmount = .hours(1)

  struct Refusal: Sendable, Equatable {
    /// One of a known set, for a label: `no_permission`, `unknown_command`, `too_large`.
    let reason: String
    let pause: TimeAmount
    let retryAt: NIODeadline
  }

  static let tooLarge = "too_large"

  private(set) var byCollector: [String: Refusal] = [:]
  private var runID = ""

  /// Whether the collector is to be asked.
  func allows(_ collector: String, at now: NIODeadline) -> Bool {
    guard let refusal = byCollector[collector] else { return true }
    return refusal.retryAt <= now
  }

  /// Takes note of a refusal.
  /// - Returns: whether it is new.
  mutating func note(_ collector: String, reason: String, at now: NIODeadline) -> Bool {
    let known = byCollector[collector]
    var pause = Self.retryAfter
    if reason == Self.tooLarge {
      pause = known?.reason == reason ? min(known.map { $0.pause * 2 } ?? pause, pause) : .minutes(1)
    }
    byCollector[collector] = Refusal(reason: reason, pause: pause, retryAt: now + pause)
    return known?.reason != reason
  }

  mutating func clear(_ collector: String) { byCollector[collector] = nil }

  /// Forgets everything when another server answers.
  mutating func server(_ runID: String) {
    if runID != self.runID { byCollector = [:] }
    self.runID = runID
  }

  /// The reason when an error reply means "never", nil when it may pass.
  static func reason(_ reply: Reply) -> String? {
    guard reply.isError else { return nil }
    if reply.errorCode == "NOPERM" { return "no_permission" }
    let lowered = printable(reply.bytes ?? []).lowercased()
    if lowered.hasPrefix("err unknown command") || lowered.hasPrefix("err unknown subcommand")
      || lowered.hasPrefix("err unknown sentinel subcommand") || lowered.contains("syntax error")
      || lowered.contains("wrong number of arguments") || lowered.contains("not supported")
      || lowered.contains("not allowed") || lowered.contains("disabled")
    {
      return "unknown_command"
    }
    return nil
  }
}
