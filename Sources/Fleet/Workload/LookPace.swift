import Redis
import Runtime

/// How often a workload judges, publishes, and has its members polled out of turn. Pure.
struct LookPace: Sendable {
  /// Between two looks at what the polls have brought: half a second, and a millisecond for each member where that is more.
  /// With hundreds of members each look has news of some of them, and what it costs grows with all of them.
  static func pause(memberCount: Int) -> Duration { .milliseconds(max(500, memberCount)) }

  /// However little changes, the page is rebuilt at least this often: windows of maintenance and peaks begin and end.
  static let publishSeconds = 5.0
  /// Pages show what was published up to this long ago.
  static let shownSeconds = 1.0
  /// Between two polls out of turn while something is wrong.
  static let closeLookSeconds = 1.0
  /// Polls out of turn in succession, and how many come back while nothing is wrong or much is.
  static let closeLookLimit = 120.0
  static let closeLooksPerSecond = 1.0 / 30
  /// The same for what one Sentinel publishes.
  static let heardLookLimit = 30.0
  static let heardLooksPerSecond = 0.1

  /// What was published last, while pages may show it.
  var shown: Judgement?
  private var stamp = -1.0
  private var published = Monotonic.distantPast
  private var lastCloseLook = Monotonic.distantPast
  private var closeLooks = Allowance<Monotonic>(closeLookLimit, perSecond: closeLooksPerSecond)
  private var heardLooks: [NodeAddress: Allowance<Monotonic>] = [:]

  /// Whether anybody has been polled since the last look.
  mutating func isNews(_ readings: Crew.Readings) -> Bool {
    defer { stamp = readings.stamp }
    return stamp != readings.stamp || readings.stamp == 0
  }

  /// Whether the page is to be made now. Judging a large workload costs as much as its polls: less often then.
  func mustPublish(isNews: Bool, memberCount: Int, at now: Monotonic) -> Bool {
    let pause = isNews ? min(Self.publishSeconds, Double(memberCount) / 200) : Self.publishSeconds
    return now - published >= pause
  }

  mutating func notePublication(at now: Monotonic) { published = now }

  mutating func forgetShown(at now: Monotonic) {
    if let shown, now - shown.state.now >= Self.shownSeconds { self.shown = nil }
  }

  /// Whether everybody may be polled out of turn while something is wrong: but not for ever, since a member may be dead for
  /// days.
  mutating func mayLookClosely(at now: Monotonic) -> Bool {
    guard now - lastCloseLook >= Self.closeLookSeconds, closeLooks.take(at: now) else { return false }
    lastCloseLook = now
    return true
  }

  /// Whether what a Sentinel published may cause polls.
  mutating func mayLook(heardFrom sentinel: NodeAddress, at now: Monotonic) -> Bool {
    heardLooks[sentinel, default: Allowance(Self.heardLookLimit, perSecond: Self.heardLooksPerSecond)]
      .take(at: now)
  }

  /// Forgets all Sentinels but these.
  mutating func forget(allBut sentinels: Set<NodeAddress>) {
    heardLooks = heardLooks.filter { sentinels.contains($0.key) }
  }
}
