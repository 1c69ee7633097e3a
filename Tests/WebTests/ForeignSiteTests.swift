import Testing

@testable import Web

@Suite struct ForeignSiteTests {
  private func status(_ method: String, _ headers: [String: String]) async -> Int {
    let table = RouteTable([
      Route(anyMethod: "/reload") { _ in .text("ok") }, Route("/query", methods: [.get, .post]) { _ in .text("ok") },
    ])
    let path = method == "QUERY" ? "/query" : "/reload"
    let all = headers.merging(["Host": "redline:9121"]) { first, _ in first }.map {
      Request.Header(name: $0.key, value: $0.value)
    }
    return await table.respond(
      to: Request(method: method == "QUERY" ? "POST" : method, path: path, headers: all)
    ).status
  }

  static let browser = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
  static let cases: [(method: String, headers: [String: String], isServed: Bool)] = [
    // Programs.
    ("POST", [:], true), ("GET", [:], true), ("GET", ["User-Agent": "curl/7.88.1"], true),
    ("QUERY", ["User-Agent": "Grafana/11"], true),
    // The daemon's own pages, and what a person typed.
    ("POST", ["Origin": "http://redline:9121"], true), ("POST", ["Origin": "http://REDLINE:9121"], true),
    ("GET", ["Sec-Fetch-Site": "none", "User-Agent": browser], true),
    ("POST", ["Sec-Fetch-Site": "same-origin", "Origin": "http://behind.a.proxy"], true),
    // Others.
    ("POST", ["Origin": "http://evil.example"], false), ("POST", ["Origin": "null"], false),
    ("POST", ["Origin": "http://redline:9122"], false), ("QUERY", ["Origin": "http://evil.example"], false),
    ("POST", ["Sec-Fetch-Site": "cross-site"], false), ("GET", ["Sec-Fetch-Site": "same-site"], false),
    ("GET", ["Referer": "http://evil.example/redline:9121"], false), ("GET", ["User-Agent": browser], false),
    ("PUT", ["Origin": "http://evil.example"], false),
  ]

  @Test(arguments: cases) func requestsOfOtherSitesAreRefused(
    method: String, headers: [String: String], isServed: Bool
  ) async {
    #expect(await status(method, headers) == (isServed ? 200 : 403), "\(method) \(headers)")
  }

  @Test func readingIsOpenToLinks() async {
    let table = RouteTable([Route("/page") { _ in .text("ok") }])
    let headers = [Request.Header(name: "Sec-Fetch-Site", value: "cross-site")]
    #expect(await table.respond(to: Request(path: "/page", headers: headers)).status == 200)
  }
}
