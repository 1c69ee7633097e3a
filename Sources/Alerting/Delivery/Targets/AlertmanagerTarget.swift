import Config
import HTTPClient
import Logging
import NIOCore
import Runtime
import Storage

/// Delivers to one Alertmanager what waits for it, one request at a time.
final class AlertmanagerTarget: Sendable {
  let client: AlertmanagerClient
  let tracker: DeliveryTracker
  let resendSeconds: Double
  private let record: @Sendable ([StoredNotification]) -> Void
  private let log: Logger
  private let wakeups: AsyncStream<Void>
  private let wakeup: AsyncStream<Void>.Continuation
  private let worker = Lock(Task<Void, Never>?.none)

  /// - Parameter record: is handed what is worth keeping; must not wait.
  init(
    _ client: AlertmanagerClient, tracker: DeliveryTracker, resendSeconds: Double, log: Logger,
    record: @escaping @Sendable ([StoredNotification]) -> Void
  ) {
    self.client = client
    self.tracker = tracker
    self.resendSeconds = resendSeconds
    self.log = log
    self.record = record
    (wakeups, wakeup) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// The address without credentials: the label of its metrics.
  var label: String { client.address.description }

  var state: DeliveryState {
    let figures = tracker.figures
    return DeliveryState(
      alertmanager: label, trouble: figures.trouble,
      lastSuccess: figures.lastSuccessSeconds.map(WallTime.init(seconds:)),
      waitingCount: figures.queue.count)
  }

  func start() {
    worker.withLock { worker in
      guard worker == nil else { return }
      worker = Task(executorPreference: WorkExecutor.compute) { await self.run() }
    }
    wakeup.yield()
  }

  func send(_ alerts: [OutgoingNotification]) {
    guard !alerts.isEmpty else { return }
    tracker.add(alerts)
    recordLosses()
    wakeup.yield()
  }

  /// Ends at once. What waits stays in the tracker, for a successor that shares it.
  func stop(successor: AlertmanagerTarget? = nil) {
    let worker = worker.withLock { $0 }
    worker?.cancel()
    client.close()
    guard let successor else { return }
    Task {
      // A request that was under way has put its alerts back by then.
      await worker?.value
      successor.wakeup.yield()
    }
  }

  /// Delivers what waits until nothing does or the deadline comes, and then ends.
  func drain(until deadline: NIODeadline) async {
    let closing = Task { [client] in
      try? await Task.sleep(for: .nanoseconds(max(0, (deadline - .now()).nanoseconds)))
      if !Task.isCancelled { client.close() }
    }
    let worker = worker.withLock { $0 }
    worker?.cancel()
    await worker?.value
    while deadline > .now() {
      switch await deliverNext(until: deadline) {
      case .nothing: closing.cancel()
      case .progress: continue
      case .setback:
        try? await Task.sleep(for: .milliseconds(200))
        continue
      }
      break
    }
    closing.cancel()
    client.close()
    let left = tracker.figures.queue.count
    if left > 0 {
      log.warning(
        "alerts were not delivered before the end", metadata: ["alertmanager": "\(label)", "alerts": "\(left)"])
    }
  }

  // MARK: The worker

  private func run() async {
    // The first notice must already end right by the other clock.
    note(await client.probe().offsetSeconds)
    var backoff = Backoff(resendSeconds: resendSeconds)
    for await _ in wakeups {
      delivering: while !Task.isCancelled {
        switch await deliverNext(until: .distantFuture) {
        case .nothing:
          guard isCutOff else { break delivering }
          // Nothing is left to send that would show when it is reached again.
          try? await Task.sleep(for: .seconds(backoff.nextSeconds()))
          await probeAfterFailure()
        case .progress: backoff.reset()
        case .setback: try? await Task.sleep(for: .seconds(backoff.nextSeconds()))
        }
      }
    }
  }

  private var isCutOff: Bool { tracker.figures.trouble.map { !$0.isRefusal } ?? false }

  /// Asks whether it is reached again, where the last alert is no longer of use.
  private func probeAfterFailure() async {
    guard !Task.isCancelled, tracker.figures.queue.isEmpty else { return }
    let answer = await client.probe()
    note(answer.offsetSeconds)
    guard case .accepted = answer.outcome else { return }
    let before = tracker.withFigures { figures in
      defer { figures.trouble = nil }
      return figures.trouble?.errorClass
    }
    report(nil, before: before)
  }

  private enum Step { case nothing, progress, setback }

  private func deliverNext(until deadline: NIODeadline) async -> Step {
    let now = WallTime.now.epochMs
    let (batch, offset) = tracker.withFigures { figures in
      (figures.queue.takeBatch(atMilliseconds: now), figures.offsetSeconds)
    }
    recordLosses()
    guard !batch.isEmpty else { return .nothing }
    let began = NIODeadline.now()
    let ahead = ClockOffset.correctionMilliseconds(offset)
    let answer = await client.post(batch, aheadMilliseconds: ahead, until: deadline)
    let seconds = Double((NIODeadline.now() - began).nanoseconds) / 1e9
    note(answer.offsetSeconds)
    if Task.isCancelled, case .failed = answer.outcome {
      // Cut off by a reload or the end: no failure of the other side.
      tracker.withFigures { $0.queue.putBack(batch) }
      return .setback
    }
    return settle(batch, answer, aheadMilliseconds: ahead, seconds: seconds)
  }

  /// Writes down what became of a batch.
  private func settle(
    _ batch: [OutgoingNotification], _ answer: AlertmanagerClient.Answer, aheadMilliseconds ahead: Int64,
    seconds: Double
  ) -> Step {
    let now = WallTime.now.epochMs
    let failure: AlertmanagerClient.Failure?
    let step: Step
    let failureClass: String?
    var news: [OutgoingNotification] = []
    var undelivered: [OutgoingNotification] = []
    (failure, step, failureClass) = tracker.withFigures { figures in
      figures.requestCount += 1
      figures.requestSeconds += seconds
      let before = figures.trouble?.errorClass
      let began = WallTime(seconds: Double(now) / 1000 - seconds)
      switch answer.outcome {
      case .accepted:
        // Its clock turned out to be farther ahead: by it these have ended already.
        let theirs = now + ClockOffset.correctionMilliseconds(answer.offsetSeconds)
        let late = batch.filter { !$0.isResolved && $0.endsAtMilliseconds(aheadMilliseconds: ahead) <= theirs }
        figures.queue.putBack(late)
        figures.sentCount += batch.count - late.count
        figures.lastSuccessSeconds = Double(now) / 1000
        figures.trouble = nil
        let taken = late.isEmpty ? batch : batch.filter { !late.contains($0) }
        news = figures.log.news(of: taken, atMilliseconds: now)
        return (nil, late.isEmpty ? .progress : .setback, before)
      case .refused(let failure):
        figures.errorCount += 1
        figures.queue.split(batch)
        figures.note(failure, isRefusal: true, began: began)
        return (failure, .progress, before)
      case .failed(let failure):
        figures.errorCount += 1
        figures.queue.putBack(batch)
        figures.note(failure, isRefusal: false, began: began)
        undelivered = figures.log.undelivered(figures.queue.waiting, atMilliseconds: now)
        return (failure, .setback, before)
      }
    }
    let told = news.map { StoredNotification($0, to: label, atMilliseconds: now, outcome: StoredNotification.accepted) }
    let untold = undelivered.map {
      StoredNotification($0, to: label, atMilliseconds: now, undelivered: failure?.errorClass ?? "")
    }
    if !told.isEmpty || !untold.isEmpty { record(told + untold) }
    recordLosses(failure)
    report(failure, before: failureClass)
    return step
  }

  /// Writes down what was dropped from the queue.
  ///
  /// - Parameter failure: why the last batch was refused.
  private func recordLosses(_ failure: AlertmanagerClient.Failure? = nil) {
    let losses = tracker.withFigures { $0.queue.takeLosses() }
    guard !losses.isEmpty else { return }
    let now = WallTime.now.epochMs
    record(
      losses.map { alert, reason in
        let outcome =
          switch reason {
          case .full: "dropped: the queue was full"
          case .expired: "dropped: no longer of use when it could be sent"
          case .rejected: "rejected: \(failure?.message ?? "")"
          }
        return StoredNotification(alert, to: label, atMilliseconds: now, outcome: outcome)
      })
  }

  /// Says once what is wrong, and once that it is over.
  private func report(_ failure: AlertmanagerClient.Failure?, before: String?) {
    if let failure, failure.errorClass != before {
      log.warning(
        "alerts cannot be delivered",
        metadata: ["alertmanager": "\(label)", "class": "\(failure.errorClass)", "error": "\(failure.message)"])
    } else if failure == nil, before != nil {
      log.info("alerts are delivered again", metadata: ["alertmanager": "\(label)"])
    }
  }

  private func note(_ offsetSeconds: Double?) {
    guard let offsetSeconds else { return }
    let before = tracker.withFigures { figures in
      defer { figures.offsetSeconds = offsetSeconds }
      return figures.offsetSeconds ?? 0
    }
    let noteworthySeconds = 30.0
    guard abs(offsetSeconds) >= noteworthySeconds, abs(before) < noteworthySeconds else { return }
    log.warning(
      "the clocks of this machine and of an Alertmanager differ",
      metadata: ["alertmanager": "\(label)", "seconds_ahead": "\(Int(clamping: offsetSeconds.rounded()))"])
  }
}

/// What waits for one Alertmanager and what became of the rest. It outlives a reload of the configuration.
final class DeliveryTracker: Sendable {
  struct Figures: Sendable {
    var queue: DeliveryQueue
    var log = NotificationLog()
    var sentCount = 0
    /// Requests that brought no success.
    var errorCount = 0
    var requestCount = 0
    var requestSeconds = 0.0
    /// Seconds since 1970.
    var lastSuccessSeconds: Double?
    var offsetSeconds: Double?
    /// Until something is accepted again.
    var trouble: DeliveryState.Trouble?

    /// - Parameter began: when the request did.
    mutating func note(_ failure: AlertmanagerClient.Failure, isRefusal: Bool, began: WallTime) {
      let since = isRefusal ? began : trouble.flatMap { $0.isRefusal ? nil : $0.since } ?? began
      trouble = DeliveryState.Trouble(
        since: since, errorClass: failure.errorClass, message: failure.message, isRefusal: isRefusal)
    }
  }

  private let state: Lock<Figures>

  init(capacity: Int, log: NotificationLog = NotificationLog()) {
    state = Lock(Figures(queue: DeliveryQueue(capacity: capacity), log: log))
  }

  var figures: Figures { state.withLock { $0 } }

  func withFigures<Result>(_ body: (inout Figures) -> Result) -> Result { state.withLock { body(&$0) } }

  func add(_ alerts: [OutgoingNotification]) {
    state.withLock { figures in
      for alert in alerts { figures.queue.add(alert) }
    }
  }

  /// Another limit for the queue; what no longer fits is dropped, the oldest first.
  func setCapacity(_ capacity: Int) {
    state.withLock { figures in
      guard figures.queue.capacity != capacity else { return }
      var queue = DeliveryQueue(capacity: capacity)
      queue.add(contentsOf: figures.queue)
      figures.queue = queue
    }
  }
}

/// How long to wait after one failure more: doubled each time up to a limit, and scattered by a quarter.
struct Backoff: Sendable {
  static let firstSeconds = 0.25

  /// In seconds.
  let limitSeconds: Double
  private var failureCount = 0

  /// Several tries fit between two notices of the same alert.
  init(resendSeconds: Double) { limitSeconds = max(Self.firstSeconds, min(15, resendSeconds / 4)) }

  mutating func reset() { failureCount = 0 }

  mutating func nextSeconds(_ random: () -> Double = { Double.random(in: 0.75...1.25) }) -> Double {
    let seconds = min(limitSeconds, Self.firstSeconds * Double(1 << min(failureCount, 16)))
    failureCount += 1
    return seconds * random()
  }
}
