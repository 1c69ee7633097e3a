import NIOCore

/// When a target is polled although nobody asks.
public struct PollSchedule: Sendable {
  /// Between two polls, however they were caused.
  public let interval: Duration
  /// No poll in the background while polls on demand come at least this often: watching one Redis then costs it no more
  /// than the scrapes do.
  public let quietAfterDemand: Duration

  public init(interval: Duration, quietAfterDemand: Duration = .zero) {
    self.interval = interval
    self.quietAfterDemand = quietAfterDemand
  }

  /// Polls until the task is cancelled.
  func run(_ poller: Poller) async {
    // The first poll comes at once, so that the first scrape finds a snapshot.
    _ = await poller.snapshot(since: .now())
    while !Task.isCancelled {
      let pause = max(interval, quietAfterDemand)
      // A tenth of jitter keeps a thousand pollers from marching in step.
      try? await Task.sleep(for: interval * Double.random(in: 0.9...1.1))
      guard !Task.isCancelled else { return }
      let floor = NIODeadline.now() - TimeAmount(pause * 0.95)
      // A poll made on demand replaces the next one of the schedule.
      _ = await poller.snapshot(since: floor)
    }
  }
}
