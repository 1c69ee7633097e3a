import Testing

@testable import Web

/// On the page of a workload's keys: locks by how long they are held, rate limits, requests, Redlock.
@Suite struct PatternsSectionTests {
  private static var section: PatternsSection {
    var holds = PatternsSection.Holds()
    holds.rows = [
      .init(name: "#5d0c7b12", seconds: 4000, isWhole: true, leftSeconds: 7.5),
      .init(name: "#00a1b2c3", seconds: 12, isWhole: false, leftSeconds: nil),
      .init(name: nil, seconds: 0.35, isWhole: true, leftSeconds: 9.6),
    ]
    (holds.heldCount, holds.heldLongCount, holds.p50, holds.p99) = (3, 1, 0.21, 4.2)
    (holds.acquiredCount, holds.expiredCount, holds.shardCount, holds.followedCount) = (12_000, 20, 3, 2)
    var section = PatternsSection()
    section.locks = .init(count: 40, withoutTTLCount: 1, overTTLCount: 0)
    section.locks?.holds = holds
    var fixed = PatternsSection.Limit("api", keyCount: 400, withoutTTLCount: 0)
    (fixed.earlyCount, fixed.overRatio) = (12, 0.031)
    var sliding = PatternsSection.Limit("calls", keyCount: 30, withoutTTLCount: 2)
    sliding.largest = 5000
    section.limits = [fixed, sliding]
    section.requests = .init(keyCount: 900, processingCount: 3, stuckCount: 1, withoutTTLCount: 0)
    section.redlock = .init(servers: [("lock-1", true), ("lock-2", false), ("lock-3", false)], quorum: 2)
    section.remarks = ["Instead of names of locks there are hashes, which change when redline starts."]
    return section
  }

  private static func response(_ section: PatternsSection) -> Response {
    var page = KeyspacePage("carts", .off, metricsPath: "/metrics", nowSeconds: 1_800_000_000)
    page.patterns = section
    return page.response()
  }

  @Test func golden() { GoldenPage.expect(Self.response(Self.section), "keys-patterns") }

  /// What is not known is told so, and nothing that is not watched stands there.
  @Test func whatIsNotKnown() {
    var section = Self.section
    section.locks?.holds = nil
    #expect(GoldenPage.text(Self.response(section)).contains("walks alone look for them (<code>watches.follow</code>)"))
    section.locks?.holds = PatternsSection.Holds()
    let text = GoldenPage.text(Self.response(section))
    #expect(text.contains("no server names them now") && !text.contains("are held now"))
    let empty = GoldenPage.text(Self.response(PatternsSection()))
    for title in ["Locks", "Redlock", "Rate limits", "Idempotency"] { #expect(!empty.contains("<h2>\(title)</h2>")) }
  }

  /// Names are text.
  @Test func nothingIsMarkup() {
    var section = Self.section
    section.locks?.holds?.rows = [
      .init(name: GoldenPage.evil, seconds: .infinity, isWhole: true, leftSeconds: .nan)
    ]
    section.limits = [.init(GoldenPage.evil, keyCount: .max, withoutTTLCount: .max)]
    section.redlock = .init(servers: [(GoldenPage.evil, true)], quorum: .max)
    section.remarks = [GoldenPage.evil]
    GoldenPage.expectHarmless(GoldenPage.text(Self.response(section)))
  }
}
