import Testing

@testable import Web

/// The page of a workload's keys.
@Suite struct KeyspacePageTests {
  private static let now = 1_800_000_000.0

  private static func row(
    _ prefix: String, _ keys: Double, memory: Double?, change: Estimate? = nil, _ expiry: KeyspacePage.Expiry = .none
  ) -> KeyspacePage.Row {
    var row = KeyspacePage.Row(prefix, keys: Estimate(keys, lower: 0.97 * keys, upper: 1.03 * keys))
    row.memory = memory.map { Estimate($0, lower: 0.96 * $0, upper: 1.04 * $0) }
    row.keysWithoutTTL = Estimate(0, lower: 0, upper: 54)
    (row.change, row.expiry) = (change, expiry)
    return row
  }

  private static var sample: KeyspacePage.Sample {
    let wave = KeyspacePage.Wave(
      seconds: now + 1320, isSecond: true, keys: Estimate(4980, lower: 4400, upper: 5600))
    let later = KeyspacePage.Wave(
      seconds: now + 90_000, isSecond: false, keys: Estimate(9000, lower: 8100, upper: 9900))
    var index = row("index:*", 20, memory: nil, .unknown)
    index.keys = Estimate(40, lower: 29, upper: 54)
    index.keysWithoutTTL = nil
    var sample = KeyspacePage.Sample(
      [
        row("cart:*", 279_000, memory: 141e6, change: Estimate(12e6, lower: 9e6, upper: 15e6)),
        row("session:*", 604_000, memory: 92e6, change: Estimate(40e6, lower: 38e6, upper: 42e6), .coming(later)),
        row("page:*", 97_300, memory: 61e6, change: Estimate(-1e6, lower: -3e6, upper: 1e6), .coming(wave)),
        row("old:*", 3000, memory: 4e6, change: Estimate(-2e6, lower: -3e6, upper: -1e6)),
        index,
      ], .with(seconds: now - 86_400))
    (sample.keyTotal, sample.seenCount) = (1_000_000, 20_012)
    sample.servers = [
      .init("carts-2", isMember: true, about: "replica, Redis 7.0.15"),
      .init("10.0.0.9:6379", isMember: false, about: "master"),
    ]
    (sample.beganSeconds, sample.tookSeconds) = (now - 300, 24)
    (sample.attributedRatio, sample.isComplete, sample.crowdingRatio) = (1.03, true, 0.006)
    sample.remarks = ["3 windows hold names too large to be read and are left out."]
    return sample
  }

  private static func page(_ state: KeyspacePage.State) -> KeyspacePage {
    var page = KeyspacePage("carts", state, metricsPath: "/metrics", nowSeconds: now)
    page.turn = .due(now + 600)
    return page
  }

  private static func text(_ state: KeyspacePage.State) -> String { GoldenPage.text(page(state).response()) }

  @Test func golden() { GoldenPage.expect(Self.page(.sampled(Self.sample)).response(), "keys") }

  @Test func goldenBeforeTheFirst() {
    var page = Self.page(.waiting("No sample has ended yet"))
    page.turn = .due(Self.now + 12)
    GoldenPage.expect(page.response(), "keys-first")
  }

  @Test func goldenWithoutSampling() { GoldenPage.expect(Self.page(.off).response(), "keys-off") }

  @Test func whatSurelyChangedComesFirst() throws {
    let text = Self.text(.sampled(Self.sample))
    let list = try #require(text.components(between: "<ul class=\"findings\">", and: "</ul>"))
    let places = ["session:*", "cart:*", "old:*"].map { list.firstRange(of: $0) }
    #expect(places.allSatisfy { $0 != nil } && !list.contains("page:*") && !list.contains("index:*"))
    #expect(places.compactMap { $0?.lowerBound } == places.compactMap { $0?.lowerBound }.sorted(), "the largest first")
    #expect(text.contains("<span class=\"dim\">−977 KiB ± 1.9 MiB</span>"), "grey where it may be none")
    #expect(text.contains("<b>+38 MiB ± 1.9 MiB</b>"))
    #expect(text.contains("2027-01-16 09:00:00") && text.contains("08:22:00"), "a wave of tomorrow has its date")
  }

  @Test func whatIsUnknownIsNeverZero() {
    var sample = Self.sample
    sample.rows = [Self.row("index:*", 20, memory: nil, .unknown)]
    sample.rows[0].keysWithoutTTL = nil
    sample.comparison = .none(reason: "the user lacks a right")
    (sample.attributedRatio, sample.isComplete, sample.crowdingRatio, sample.servers) = (nil, nil, nil, [])
    let text = Self.text(.sampled(sample))
    #expect(text.split(separator: "<span class=\"dim\">unknown</span>").count == 5, "memory, TTL, change, wave")
    #expect(text.contains("Unknown: the user lacks a right.") && text.contains("Read: unknown."))
    #expect(text.contains("come to is unknown") && text.contains("TTLs are spread is unknown"))
    #expect(!text.contains(">0 B") && !text.contains(" 0 B"))
  }

  @Test func saysSinceWhenThereIsAComparison() {
    var sample = Self.sample
    sample.comparison = .begun(sinceSeconds: Self.now - 3600, reason: "sampling began not long ago")
    let text = Self.text(.sampled(sample))
    #expect(text.contains("Unknown: sampling began not long ago.") && text.contains("(60 min ago)"))
    #expect(text.contains("is told from") && text.contains("(in 23 h)"))
    #expect(!text.contains("<ul class=\"findings\">"))
  }

  @Test func aSampleThatIsNotCompleteIsNotTrusted() {
    var sample = Self.sample
    (sample.attributedRatio, sample.isComplete, sample.crowdingRatio) = (0.6, false, 0.4)
    sample.isCrowded = true
    let text = Self.text(.sampled(sample))
    #expect(text.contains("Memory by prefix is not to be trusted:") && text.contains("60 %"))
    #expect(text.contains("<b class=\"warning\">too much alike</b>"))
  }

  @Test func saysWhyThereIsNoSample() {
    var page = Self.page(.waiting("No sample has ended yet"))
    (page.turn, page.pause) = (.underWay, "of some shard no server can be read")
    let text = GoldenPage.text(page.response())
    #expect(
      text.contains("A sample is under way.")
        && text.contains(
          "<p><b class=\"warning\">There was no new sample:</b> of some shard no server can be read.</p>")
    )
    page.turn = .due(Self.now - 5)
    #expect(GoldenPage.text(page.response()).contains("The next sample is due now."))
  }

  /// Prefixes and names are text.
  @Test func nothingIsMarkup() {
    var sample = Self.sample
    for place in sample.rows.indices { sample.rows[place].prefix = GoldenPage.evil }
    sample.servers = [.init(GoldenPage.evil, isMember: false, about: GoldenPage.evil)]
    sample.servers.append(.init(GoldenPage.evil, isMember: true, about: ""))
    sample.remarks = [GoldenPage.evil]
    var page = Self.page(.sampled(sample))
    (page.workload, page.pause) = (GoldenPage.evil, GoldenPage.evil)
    let text = GoldenPage.text(page.response())
    GoldenPage.expectHarmless(text)
    #expect(text.contains("<code>\(GoldenPage.escaped)</code>"))
    sample.comparison = .begun(sinceSeconds: 0, reason: GoldenPage.evil)
    GoldenPage.expectHarmless(Self.text(.sampled(sample)))
    GoldenPage.expectHarmless(Self.text(.waiting(GoldenPage.evil)))
  }

  @Test(arguments: [Double.nan, .infinity, -1, 1e300])
  func extremeNumbers(value: Double) {
    var sample = Self.sample
    let estimate = Estimate(value, lower: value, upper: value * 2)
    for place in sample.rows.indices {
      (sample.rows[place].keys, sample.rows[place].memory) = (estimate, estimate)
      (sample.rows[place].change, sample.rows[place].keysWithoutTTL) = (estimate, estimate)
      sample.rows[place].expiry = .coming(.init(seconds: value, isSecond: false, keys: estimate))
    }
    (sample.keyTotal, sample.beganSeconds, sample.tookSeconds) = (value, value, value)
    (sample.attributedRatio, sample.crowdingRatio, sample.isCrowded) = (value, value, true)
    GoldenPage.expectHarmless(Self.text(.sampled(sample)))
    sample.comparison = .begun(sinceSeconds: value, reason: "r")
    GoldenPage.expectHarmless(Self.text(.sampled(sample)))
  }

  @Test func rowsAreBounded() {
    var sample = Self.sample
    sample.rows = .init(repeating: sample.rows[0], count: 100)
    let text = Self.text(.sampled(sample))
    #expect(
      text.contains("35 further prefixes are not listed") && text.split(separator: "<tr><th scope=\"row\">").count == 66
    )
    sample.rows = .init(repeating: Self.row(String(repeating: "x", count: 4000), 1e6, memory: 1e9), count: 65)
    #expect(Self.text(.sampled(sample)).utf8.count < 100_000)
  }
}

extension String {
  /// What stands between two texts.
  fileprivate func components(between start: String, and end: String) -> String? {
    guard let from = firstRange(of: start), let to = self[from.upperBound...].firstRange(of: end) else { return nil }
    return String(self[from.upperBound..<to.lowerBound])
  }
}
