import Config
import Logging
import Metrics
import NIOCore
import Redis
import Runtime

/// Walks over the keys of one shard again and again, and keeps what the newest whole walk found.
///
/// Who is read may change at any time: a walk that is under way then starts over elsewhere.
actor KeyWalker {
  private let plan: WatchPlan
  private let log: Logger
  private var place: KeyPlace?
  private var task: Task<Void, Never>?
  private var failureCount = 0
  private var complaint: String?
  private nonisolated let box = Lock<WatchFindings?>(nil)

  /// Between two looks for somebody to read.
  private static let idlePause: Duration = .milliseconds(500)
  /// The longest pause after failures.
  private static let longestPause: Duration = .seconds(300)

  init(_ plan: WatchPlan, log: Logger) {
    self.plan = plan
    self.log = log
  }

  /// What the newest whole walk found; nil before the first.
  nonisolated var newest: WatchFindings? { box.withLock { $0 } }

  /// Reads this member from now on; nil for none.
  func aim(at place: KeyPlace?) {
    if place !== self.place { failureCount = 0 }
    self.place = place
    if task == nil { task = Task(priority: .utility) { await run() } }
  }

  func stop() {
    task?.cancel()
    place = nil
  }

  private func run() async {
    // A thousand walkers do not begin in step.
    try? await Task.sleep(for: plan.watches.interval * Double.random(in: 0..<0.2))
    while !Task.isCancelled {
      guard let place else {
        try? await Task.sleep(for: Self.idlePause)
        continue
      }
      let started = NIODeadline.now()
      do throws(RedisError) {
        var findings = try await walk(at: place)
        findings.endedSeconds = wallClockSeconds()
        findings.tookSeconds = Double((NIODeadline.now() - started).nanoseconds) / 1e9
        box.withLock { [findings] in $0 = findings }
        place.cost.notePass(seconds: findings.tookSeconds, endedAt: findings.endedSeconds)
        failureCount = 0
        complaint = nil
      } catch {
        if Task.isCancelled { return }
        if place === self.place { note(error, at: place) } else { continue }
      }
      place.publish()
      let pause = pause(since: started)
      if pause > .seconds(KeyWorkLimits.idleSeconds) { await place.link.close() }
      try? await Task.sleep(for: pause)
    }
  }

  private func note(_ error: RedisError, at place: KeyPlace) {
    failureCount += 1
    place.cost.errorCount.add(1, error.errorClass.rawValue)
    guard complaint != error.errorClass.rawValue else { return }
    complaint = error.errorClass.rawValue
    log.warning(
      "keys cannot be walked over and are tried again later",
      metadata: ["node": "\(place.address)", "error": "\(error)"])
  }

  /// What is left of the interval, give or take a tenth; after failures the interval, doubled with each.
  private func pause(since started: NIODeadline) -> Duration {
    let interval = plan.watches.interval
    let spent = Duration.nanoseconds((NIODeadline.now() - started).nanoseconds)
    let rest =
      failureCount == 0
      ? max(.milliseconds(10), interval - spent)
      : min(max(Self.longestPause, interval), interval * Double(1 << min(failureCount - 1, 16)))
    return rest * Double.random(in: 0.9...1.1)
  }

  // MARK: One walk

  private func walk(at place: KeyPlace) async throws(RedisError) -> WatchFindings {
    var walk = WatchWalk(plan.watches, place: place)
    var knowsTypes = true
    if plan.walks.contains(where: { $0.type != nil }) {
      let info = try await place.link.send([["INFO", "server"]])[0]?.bytes.map { InfoText($0) }
      knowsTypes = Version(info?.text("redis_version") ?? "") >= Version(6)
    }
    for part in plan.walks {
      var cursor: [UInt8] = [UInt8(ascii: "0")]
      repeat {
        guard place === self.place else { throw RedisError(.closed, "the walk starts over on another server") }
        let scan = KeyCommand.scan(
          cursor, match: part.match, count: KeyWorkLimits.batchKeys, type: knowsTypes ? part.type : nil)
        guard let reply = try await place.link.send([scan], database: part.database)[0] else {
          throw RedisError(.permission, "the server refuses SCAN, or has no database \(part.database)")
        }
        guard let page = ScanPage(reply) else {
          throw reply.isError
            ? RedisError(reply: reply, to: ["SCAN"]) : RedisError(.protocol, "SCAN was answered with something else")
        }
        cursor = page.cursor
        place.cost.scannedCount.add(Double(page.names.count))
        try await walk.take(page.names, of: part, isTyped: knowsTypes)
      } while cursor != [UInt8(ascii: "0")]
    }
    return walk.findings
  }
}
