import Config
import Redis
import Runtime
import Testing
import Web

@testable import API
@testable import Fleet

/// What the page of a workload's keys is filled with.
@Suite struct KeyspacePageFillingTests {
  private static let start = 1_800_000_000.0

  private static func text(_ keyspace: KeyspaceOverview?, at now: WallTime = WallTime(seconds: start + 60)) -> String {
    var overview = WorkloadStandingTests.overview(.healthy)
    overview.keyspace = keyspace
    let page = KeyspacePage(overview, metricsPath: "/metrics", now: now)
    return String(decoding: page.response().body.bytes, as: UTF8.self)
  }

  private static func tracker(prefix: String) -> KeyspaceTracker {
    var sample = SampledKeys(PrefixTemplate())
    sample.strata = [SampledKeys.Stratum(id: "run/0", keyTotal: 100_000)]
    for window in 0..<200 {
      let number = sample.open(in: 0)
      for key in 0..<16 {
        sample.add(
          Array("\(key < 8 + window % 3 ? prefix : "page"):\(window * 16 + key)".utf8), bytes: 1000, life: .forever,
          in: number)
      }
    }
    let outcome = KeySampleOutcome(
      sample: sample, servers: [nil], failures: [:], omittedCount: 2, refused: ["memory|usage"], isCut: true,
      starts: [:])
    var tracker = KeyspaceTracker(KeyspaceConfig())
    tracker.note(
      outcome,
      KeyspaceReport(outcome, of: [], KeySampleOptions(), beganAt: WallTime(seconds: start), tookSeconds: 20))
    return tracker
  }

  @Test func withoutSamplingItSaysHowToBegin() {
    #expect(Self.text(nil).contains("keyspace: { every: 15m, sample: 20000 }"))
  }

  @Test func beforeTheFirstItSaysWhenThatIsDue() {
    let now = WallTime(seconds: Self.start)
    let due = KeyspaceOverview(KeyspaceConfig(), nil, .due(now + 25), at: now)
    #expect(
      Self.text(due, at: now).contains("No sample has ended yet. The next sample is due at")
        && Self.text(due, at: now).contains("(in 25 s)"))
    var tracker = KeyspaceTracker(KeyspaceConfig())
    tracker.note(.noReader)
    let paused = Self.text(KeyspaceOverview(KeyspaceConfig(), tracker, .underWay, at: now), at: now)
    #expect(paused.contains("of some shard no server can be read") && paused.contains("A sample is under way."))
  }

  @Test func aSampleIsShownWithWhatItLacks() {
    let now = WallTime(seconds: Self.start + 60)
    let text = Self.text(KeyspaceOverview(KeyspaceConfig(), Self.tracker(prefix: "cart"), .underWay, at: now))
    #expect(text.contains("<code>cart:*</code>") && text.contains("<code>page:*</code>"))
    #expect(text.contains("3,200 of 100,000 keys were looked at"))
    #expect(text.contains("The user lacks +memory|usage") && text.contains("ended early"))
    #expect(text.contains("2 windows hold names too large"))
    #expect(text.contains("Unknown: the user lacks a right"))
    let later = WallTime(seconds: Self.start + 7200)
    let old = Self.text(
      KeyspaceOverview(KeyspaceConfig(), Self.tracker(prefix: "cart"), .unknown, at: later), at: later)
    #expect(old.contains("too old to be shown") && !old.contains("cart:*"))
  }

  /// A prefix that many keys share may be anything that is printable.
  @Test func aHostilePrefixIsEscaped() {
    let now = WallTime(seconds: Self.start + 60)
    let text = Self.text(KeyspaceOverview(KeyspaceConfig(), Self.tracker(prefix: "<img/src=x'\">&"), .unknown, at: now))
    #expect(text.contains("<code>&lt;img/src=x&#39;&quot;&gt;&amp;:*</code>") && !text.contains("<img"))
  }
}
