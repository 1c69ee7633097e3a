import Config
import Testing

@testable import redline

@Suite(.timeLimit(.minutes(1))) struct ScrapeTargetListTests {
  private func targets(_ text: String) throws -> [String] {
    try ScrapeTargetList(Array(text.utf8), file: "targets").targets
  }

  @Test func aLineForEach() throws {
    #expect(try targets("# all\nredis://a:1\r\n\n  b:2 \nredis://a:1\n") == ["redis://a:1", "b:2"])
  }

  @Test func serviceDiscoveryOfPrometheus() throws {
    let text = #" [{"targets": ["a:1", "b:2"], "labels": {"team": "x"}}, {"targets": ["c:3"]}]"#
    #expect(try targets(text) == ["a:1", "b:2", "c:3"])
  }

  /// The error never repeats what may be a password.
  @Test(arguments: [
    "", "# none\n", "[]", "[{}]", #"[{"targets": [1]}]"#, #"{"targets": ["x:word@a"]}"#, "[\"x:word@a\"", "\u{0}",
  ])
  func whatIsNoListIsRefused(_ text: String) throws {
    guard text != "\u{0}" else {
      #expect(throws: ConfigError.self) { try ScrapeTargetList([0xFF, 0xFE], file: "targets") }
      return
    }
    let error = try #require(throws: ConfigError.self) { try ScrapeTargetList(Array(text.utf8), file: "targets") }
    #expect(!"\(error)".contains("word"))
  }

  @Test func manyThatAreAlikeAreToldTogether() {
    var report = ScrapeAccessReport(total: 1002)
    for number in 0..<1000 { report.add(.refused("list its host"), of: "redis://me:word@h\(number):1") }
    report.add(.good("logged in"), of: "a:1")
    #expect(report.status == 3)
    #expect(report.text.contains("REFUSED 1000: list its host\n  redis://…@h0:1\n"))
    #expect(report.text.contains("  and 990 more\n"))
    #expect(report.text.contains("interrupted: 1 of 1002 targets were not asked"))
    report.add(.good("logged in"), of: "b:1")
    #expect(report.status == 1)
    #expect(report.text.hasSuffix("1002 targets: 2 can be scraped, 1000 refused, 0 cannot be reached"))
    #expect(!report.text.contains("word"))
  }
}
