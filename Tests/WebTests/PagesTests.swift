import Testing

@testable import Web

@Suite struct PagesTests {
  @Test func interpolatedTextIsEscaped() {
    let evil = "<script>alert(\"1\" & '2')</script>\u{0}"
    let html: HTML = "<p title=\"\(evil)\">\(evil)</p>"
    let escaped = "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;\u{FFFD}"
    #expect(html.markup == "<p title=\"\(escaped)\">\(escaped)</p>")
    let nested: HTML = "<b>\(html)</b>"
    #expect(nested.markup == "<b>\(html.markup)</b>")
  }

  @Test func landingPageShowsTargets() {
    let page = LandingPage(
      version: "1.0", metricsPath: "/metrics?a=\"",
      targets: [
        .init(address: "redis://a:6379", state: "up", isHealthy: true, lastGoodPollAgeSeconds: 0.42),
        .init(address: "redis://<b>", state: "down", isHealthy: false, reason: "timeout", lastGoodPollAgeSeconds: nil),
        .init(address: "redis://c", state: "up", isHealthy: true, lastGoodPollAgeSeconds: 7300),
      ])
    let response = page.response()
    let text = String(decoding: response.body.bytes, as: UTF8.self)
    #expect(text.contains("<title>Redline 1.0</title>"))
    #expect(text.contains("<a href=\"/metrics?a=&quot;\">"))
    #expect(text.contains("<td>redis://a:6379</td><td class=\"good\">up</td><td></td><td>0.4 s ago</td>"))
    #expect(text.contains("<td>redis://&lt;b&gt;</td><td class=\"bad\">down</td><td>timeout</td><td>never</td>"))
    #expect(text.contains("2 h ago"))
    let policy = response.headers.first { $0.name == "Content-Security-Policy" }?.value
    #expect(policy?.contains("default-src 'none'") == true)
    // Nothing is loaded but the daemon's own script.
    let own = text.replacing("<script src=\"/redline.js\" defer></script>", with: "")
    #expect(!own.contains("src=") && !own.contains("http") && !own.contains("<script"))
  }

  @Test func manyTargetsAreCut() {
    let targets = (0..<600).map {
      LandingPage.Target(address: "a\($0)", state: "up", isHealthy: true, lastGoodPollAgeSeconds: 1)
    }
    let text = String(
      decoding: LandingPage(version: "1", metricsPath: "/m", targets: targets).response().body.bytes, as: UTF8.self)
    #expect(text.contains("100 further targets"))
    #expect(!text.contains(">a500<"))
  }

  @Test func descriptorBudget() {
    #expect(DescriptorBudget(limit: 1024, webConnections: 512, redisConnections: 448).shortage == nil)
    let shortage = DescriptorBudget(limit: 1024, webConnections: 512, redisConnections: 449).shortage
    #expect(
      shortage?.contains("512 web connections + 449 Redis connections + 64 spare = 1025, but the limit is 1024") == true
    )
  }
}
