import Testing

@testable import Web

/// The largest keys, on the page of a workload's keys.
@Suite struct LargeKeysTests {
  private static let now = 1_800_000_000.0

  private static func row(_ name: String?, _ type: String, _ bytes: Double) -> LargeKeys.Row {
    LargeKeys.Row(
      name: name, type: type, bytes: bytes, isExact: false, elementCount: 70_000, life: .endless, server: "carts-2",
      database: 0, maxMemoryRatio: bytes / 1e9)
  }

  static var section: LargeKeys {
    var section = LargeKeys(nowSeconds: now)
    var text = row("page:\\xff\\x00home", "string", 2.5e6)
    (text.isExact, text.elementCount, text.life, text.database) = (true, 2_499_000, .until(now + 3600), 3)
    var module = row("#00ff12ab34cd56ef", "", 1.2e6)
    (module.elementCount, module.life, module.maxMemoryRatio) = (nil, .unknown, nil)
    section.rows = [row("report:2026", "hash", 180e6), text, module]
    (section.bigCount, section.bigKeysBytes) = (3, 183.7e6)
    (section.endedSeconds, section.tookSeconds, section.progressRatio) = (now - 600, 840, 0.43)
    section.foreverRatio = 0.31
    section.remarks = ["Slots moved meanwhile: keys may have been met twice, or never."]
    return section
  }

  private static func page(_ section: LargeKeys) -> KeyspacePage {
    var page = KeyspacePage("carts", .waiting("No sample has ended yet"), metricsPath: "/metrics", nowSeconds: now)
    page.largeKeys = section
    return page
  }

  private static func text(_ section: LargeKeys) -> String { GoldenPage.text(page(section).response()) }

  @Test func golden() { GoldenPage.expect(Self.page(Self.section).response(), "keys-large") }

  @Test func whatIsUnknownIsNeverZero() {
    let text = Self.text(LargeKeys(nowSeconds: Self.now))
    #expect(text.contains("Not every key was looked at yet") && !text.contains("No key takes"))
    #expect(!text.contains("has met"))
    var none = LargeKeys(nowSeconds: Self.now)
    (none.bigCount, none.bigKeysBytes, none.endedSeconds) = (0, 0, Self.now)
    #expect(Self.text(none).contains("No key takes 1.0 MiB or more."))
  }

  /// Names are for those who may see them, and text.
  @Test func nothingIsMarkup() {
    var section = Self.section
    section.rows = [Self.row(GoldenPage.evil, GoldenPage.evil, 1e6), Self.row(nil, "set", 1e5)]
    section.rows[0].server = GoldenPage.evil
    section.remarks = [GoldenPage.evil]
    let text = Self.text(section)
    GoldenPage.expectHarmless(text)
    #expect(text.contains("not shown"))
  }

  @Test(arguments: [Double.nan, .infinity, -1, 1e300])
  func extremeNumbers(value: Double) {
    var section = Self.section
    for place in section.rows.indices {
      (section.rows[place].bytes, section.rows[place].maxMemoryRatio) = (value, value)
      section.rows[place].life = .until(value)
    }
    (section.bigKeysBytes, section.progressRatio, section.endedSeconds) = (value, value, value)
    (section.tookSeconds, section.foreverRatio) = (value, value)
    GoldenPage.expectHarmless(Self.text(section))
  }

  @Test func rowsAreBounded() {
    var section = Self.section
    section.rows = .init(repeating: Self.row(String(repeating: "x", count: 9000), "hash", 1e6), count: 100)
    let text = Self.text(section)
    #expect(text.split(separator: "<tr><th scope=\"row\">").count == 21 && text.utf8.count < 60_000)
  }
}
