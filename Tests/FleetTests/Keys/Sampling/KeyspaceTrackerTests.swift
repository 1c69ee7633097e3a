import Config
import Metrics
import Redis
import Runtime
import TestSupport
import Testing

@testable import Fleet

/// What is shown of samples, over days.
struct KeyspaceTrackerTests {
  private static func config(_ text: String = "{growth: 4h, every: 1h}") throws -> KeyspaceConfig {
    let file = """
      workloads:
        - name: carts
          kind: cache
          topology: replication
          seeds: ["10.0.0.1:6379"]
          keyspace: \(text)
      """
    return try #require(FleetConfig.parse(Array(file.utf8), file: "f").workloads[0].keyspace)
  }

  /// The same windows of 16 keys, most of them carts, with so many bytes in each.
  private static func outcome(
    bytes: Double, carts: Int = 12, starts: [String: [UInt64]] = ["run/0": [1, 2, 3]], isCut: Bool = false,
    id: String = "run/0", refused: Set<String> = []
  ) -> KeySampleOutcome {
    var sample = SampledKeys(PrefixTemplate())
    sample.strata = [SampledKeys.Stratum(id: id, keyTotal: 100_000)]
    for window in 0..<200 {
      let number = sample.open(in: 0)
      for key in 0..<16 {
        let isCart = key < carts + window % 3 - 1
        sample.add(
          Array("\(isCart ? "cart" : "page"):\(window * 16 + key)".utf8), bytes: isCart ? bytes : 100,
          life: isCart ? .forever : .until(milliseconds: Int64(1_800_000_000 + key * 60 + window) * 1000), in: number)
      }
    }
    return KeySampleOutcome(
      sample: sample, servers: [nil], failures: [:], omittedCount: 0, refused: refused, isCut: isCut, starts: starts)
  }

  private static func note(_ tracker: inout KeyspaceTracker, _ outcome: KeySampleOutcome, hour: Double) {
    let report = KeyspaceReport(
      outcome, of: [], KeySampleOptions(), beganAt: WallTime(seconds: 1_800_000_000 + 3600 * hour), tookSeconds: 20)
    tracker.note(outcome, report)
  }

  private static func page(_ tracker: KeyspaceTracker, hour: Double) -> String {
    var sink = SampleSink(limit: 10_000)
    tracker.add(to: &sink, at: WallTime(seconds: 1_800_000_000 + 3600 * hour + 60))
    return String(decoding: Exposition().page([sink.finish()]), as: UTF8.self)
  }

  @Test func growthIsToldOnceItIsKnown() throws {
    var tracker = KeyspaceTracker(try Self.config())
    for hour in 0..<4 {
      Self.note(&tracker, Self.outcome(bytes: 1000), hour: Double(hour))
      #expect(!Self.page(tracker, hour: Double(hour)).contains("growth"), "nothing to compare with yet")
    }
    Self.note(&tracker, Self.outcome(bytes: 1100), hour: 4)
    let growth = try #require(tracker.newest?.growth["cart:*"])
    #expect(abs(growth.value - 100 * 75_000) < 0.01 * growth.value)
    #expect(try #require(growth.lower) > 0)
    #expect(tracker.newest?.growth["page:*"]?.value == 0)
    let page = Self.page(tracker, hour: 4)
    #expect(page.contains("redis_prefix_growth_bytes{prefix=\"cart:*\"} "))
    #expect(page.contains("redis_prefix_growth_lower_bytes{prefix=\"cart:*\"} "))
    #expect(!page.contains("redis_prefix_growth_upper_bytes"))
    // Nobody keeps more of the past than that asks for.
    for hour in 5..<40 { Self.note(&tracker, Self.outcome(bytes: 1100), hour: Double(hour)) }
    #expect(tracker.newest?.growth["cart:*"] == SampledAmount(0, lower: 0, upper: 0))
    #expect(tracker.heldBytes < 7 * KeyPanel.bytes(keys: 3200))
  }

  private static func time(_ hour: Double) -> WallTime { WallTime(seconds: 1_800_000_000 + 3600 * hour) }

  @Test func saysWhyThereIsNothingToCompareWith() throws {
    var tracker = KeyspaceTracker(try Self.config())
    Self.note(&tracker, Self.outcome(bytes: 1000), hour: 0)
    #expect(tracker.newest?.comparison == .begun(since: Self.time(0), .first))
    Self.note(&tracker, Self.outcome(bytes: 1000), hour: 2)
    #expect(tracker.newest?.comparison == .begun(since: Self.time(0), .first))
    Self.note(&tracker, Self.outcome(bytes: 1000), hour: 4)
    #expect(tracker.newest?.comparison == .with(Self.time(0)))
    // A server that was restarted has other tables.
    Self.note(&tracker, Self.outcome(bytes: 1000, id: "other/0"), hour: 5)
    #expect(tracker.newest?.comparison == .begun(since: Self.time(5), .otherServers))
    Self.note(&tracker, Self.outcome(bytes: 1000, id: "other/0"), hour: 9)
    #expect(tracker.newest?.comparison == .with(Self.time(5)))
    var cut = KeyspaceTracker(try Self.config())
    Self.note(&cut, Self.outcome(bytes: 1000, isCut: true), hour: 0)
    #expect(cut.newest?.comparison == .notKept)
    var refused = KeyspaceTracker(try Self.config())
    Self.note(&refused, Self.outcome(bytes: 1000, refused: ["memory|usage"]), hour: 0)
    #expect(refused.newest?.comparison == .refused)
  }

  /// What the page is made of.
  @Test func whatIsOldIsNotOnThePage() throws {
    let config = try Self.config()
    let none = KeyspaceOverview(config, nil, .due(Self.time(1)), at: Self.time(0))
    #expect(none.report == nil && none.newestAt == nil && none.comparison == nil && none.turn == .due(Self.time(1)))
    var tracker = KeyspaceTracker(config)
    Self.note(&tracker, Self.outcome(bytes: 1000), hour: 0)
    tracker.note(.changed)
    let fresh = KeyspaceOverview(config, tracker, .underWay, at: Self.time(2))
    #expect(fresh.report != nil && fresh.pause == .changed && fresh.growthSeconds == 4 * 3600)
    let old = KeyspaceOverview(config, tracker, .underWay, at: Self.time(4))
    #expect(old.report == nil && old.newestAt == Self.time(0) && old.comparison == nil && old.growth.isEmpty)
  }

  @Test func placesAreDrawnAnewAfterAWeek() throws {
    var tracker = KeyspaceTracker(try Self.config())
    Self.note(&tracker, Self.outcome(bytes: 1000), hour: 0)
    #expect(tracker.starts == ["run/0": [1, 2, 3]])
    for hour in stride(from: 1.0, through: 24 * 7, by: 1) { Self.note(&tracker, Self.outcome(bytes: 1000), hour: hour) }
    #expect(tracker.nextStarts == nil)
    // Side by side, until the new ones have something of yesterday.
    let week = 24.0 * 7
    for hour in stride(from: week + 1, through: week + 4, by: 1) {
      Self.note(&tracker, Self.outcome(bytes: 1100), hour: hour)
      #expect(
        tracker.newest?.comparison != nil && tracker.newest?.growth["cart:*"] != nil, "growth is told all the time")
      #expect(tracker.starts == ["run/0": [1, 2, 3]] && tracker.nextStarts != nil)
      Self.noteNext(&tracker, Self.outcome(bytes: 1100, starts: ["run/0": [7]]), hour: hour)
    }
    Self.note(&tracker, Self.outcome(bytes: 1100), hour: week + 5)
    #expect(tracker.starts == ["run/0": [7]] && tracker.nextStarts == nil)
    Self.note(&tracker, Self.outcome(bytes: 1200, starts: ["run/0": [7]]), hour: week + 6)
    #expect(abs((tracker.newest?.growth["cart:*"]?.value ?? 0) - 100 * 75_000) < 100_000)
    #expect(tracker.heldBytes < 7 * KeyPanel.bytes(keys: 3200))
  }

  /// There is no room for the panels of two sets.
  @Test func newPlacesDoNotWaitForEver() throws {
    var tracker = KeyspaceTracker(try Self.config())
    Self.note(&tracker, Self.outcome(bytes: 1000), hour: 0)
    Self.note(&tracker, Self.outcome(bytes: 1000), hour: 24 * 7 + 1)
    #expect(tracker.nextStarts == [:])
    Self.noteNext(&tracker, Self.outcome(bytes: 1000, starts: ["run/0": [7]], isCut: true), hour: 24 * 7 + 1)
    Self.note(&tracker, Self.outcome(bytes: 1000), hour: 24 * 7 + 10)
    #expect(tracker.starts == ["run/0": [7]] && tracker.nextStarts == nil)
    Self.note(&tracker, Self.outcome(bytes: 1000, starts: ["run/0": [7]]), hour: 24 * 7 + 11)
    #expect(tracker.newest?.comparison == .begun(since: Self.time(24 * 7 + 11), .otherPlaces))
  }

  /// Where each key is looked at there are no places.
  @Test func allKeysHaveNoPlaces() throws {
    var tracker = KeyspaceTracker(try Self.config())
    for hour in stride(from: 0.0, through: 24 * 8, by: 2) {
      Self.note(&tracker, Self.outcome(bytes: 1000, starts: [:]), hour: hour)
      #expect(tracker.nextStarts == nil)
    }
    #expect(tracker.newest?.growth["cart:*"] != nil)
  }

  private static func noteNext(_ tracker: inout KeyspaceTracker, _ outcome: KeySampleOutcome, hour: Double) {
    tracker.note(
      next: outcome,
      KeyspaceReport(outcome, of: [], KeySampleOptions(), beganAt: time(hour), tookSeconds: 20))
  }

  @Test func aSampleThatWasCutIsNoPanel() throws {
    var tracker = KeyspaceTracker(try Self.config())
    Self.note(&tracker, Self.outcome(bytes: 1000, isCut: true), hour: 0)
    #expect(tracker.heldBytes == 0)
  }

  @Test func whatIsOldIsNotShown() throws {
    var tracker = KeyspaceTracker(try Self.config())
    #expect(Self.page(tracker, hour: 0) == "")
    Self.note(&tracker, Self.outcome(bytes: 1000), hour: 0)
    let page = Self.page(tracker, hour: 0)
    #expect(page.contains("redis_keyspace_sample_keys 3200") && !page.contains("paused"))
    #expect(page.contains("redis_prefix_keys{prefix=\"page:*\"} "))
    #expect(page.contains("redis_prefix_expiry_peak_keys{prefix=\"page:*\"} 0"))
    #expect(page.contains("redis_prefix_expiry_peak_keys{prefix=\"cart:*\"} 0"), "none of them expires")
    #expect(!page.contains("lower") && !page.contains("crowding"))
    #expect(!page.contains("attributed"), "no server said how much memory it uses")
    tracker.note(.changed)
    #expect(Self.page(tracker, hour: 2).contains("redis_keyspace_paused{reason=\"changed\"} 1"))
    #expect(Self.page(tracker, hour: 2).contains("redis_prefix_keys"), "what was known stands for a while")
    #expect(!Self.page(tracker, hour: 4).contains("redis_prefix_keys"))
    Self.note(&tracker, Self.outcome(bytes: 1000), hour: 4)
    #expect(!Self.page(tracker, hour: 4).contains("paused"))
  }

  @Test func boundsAreSeriesOnRequest() throws {
    var tracker = KeyspaceTracker(try Self.config("{intervals: true, growth: 1h}"))
    Self.note(&tracker, Self.outcome(bytes: 1000), hour: 0)
    Self.note(&tracker, Self.outcome(bytes: 1000), hour: 1)
    let page = Self.page(tracker, hour: 1)
    for name in ["lower_keys", "upper_keys", "memory_lower_bytes", "memory_upper_bytes", "growth_upper_bytes"] {
      #expect(page.contains("redis_prefix_\(name){prefix=\"cart:*\"} "), "\(name)")
    }
  }
}
