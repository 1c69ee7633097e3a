import Runtime
import Testing

@testable import Web

@Suite struct RunbookPageTests {
  /// The project's own runbooks.
  private static let folder =
    String(#filePath.dropLast("Tests/WebTests/Pages/RunbookPageTests.swift".count))
    + "alerts/runbooks"

  private static var names: [String] {
    SmallFile.names(inDirectory: folder, limit: 1000).filter { $0.hasSuffix(".md") }.map { String($0.dropLast(3)) }
      .sorted()
  }

  private static func runbook(_ name: String, offset: Int = 0) -> RunbookPage.Runbook {
    let text = SmallFile.text("\(folder)/\(name).md") ?? ""
    // What stands above it says what is gathered, and is not shown.
    let shown = text.hasPrefix("---\n") ? text.drop { $0 != "#" } : text[...]
    return RunbookPage.Runbook(
      name, Markdown(String(shown), headingOffset: offset, omitsTitle: true, pages: Set(names)))
  }

  @Test func golden() {
    let text = """
      # RedisExample

      What is **wrong**, in a sentence with `code` and a [link](https://redis.io/docs).

      > Nobody is to be woken for it.

      ## Look

      ```sh
      redis-cli -h HOST -p PORT CLIENT LIST | awk '{for(i=1;i<=NF;i++) if ($i ~ /^idle=/) print substr($i,6)}' | sort -n
      ```

      | Metric | Good | Bad |
      |---|---|---|
      | `redis_mem_total_replication_buffers_bytes` | 0 to 1 MiB | more than that |

      ## Act

      1. First:
         - this,
         - or that.
      2. Then RedisDown.
      """
    GoldenPage.expect(
      RunbookPage(
        RunbookPage.Runbook("RedisExample", Markdown(text, omitsTitle: true, pages: ["RedisDown"])),
        metricsPath: "/metrics"
      ).response(), "runbook")
  }

  @Test func ourOwnRunbooksAreRead() throws {
    let names = Self.names
    try #require(names.count > 40)
    for name in names {
      let page = GoldenPage.text(RunbookPage(Self.runbook(name), metricsPath: "/metrics").response())
      #expect(page.contains("<h1>\(name)</h1>") && page.contains("<h2>"), "\(name)")
      #expect(page.split(separator: "<h1>").count == 2 && page.utf8.count < 20_000, "\(name)")
      GoldenPage.expectHarmless(page)
    }
  }

  @Test func allOnOnePage() {
    let page = GoldenPage.text(
      RunbookPage(all: Self.names.map { Self.runbook($0, offset: 1) }, metricsPath: "/metrics").response())
    #expect(page.split(separator: "<article class=\"markdown sheet\"").count == Self.names.count + 1)
    #expect(page.contains("break-after: page") && page.contains("white-space: pre-wrap"))
    #expect(page.contains("id=\"RedisDown\"><h2>RedisDown</h2>") && page.contains("<h3>Look</h3>"))
  }

  @Test func theIndex() {
    let page = GoldenPage.text(
      RunbookPage(index: ["RedisDown"], notice: "", metricsPath: "/metrics").response())
    #expect(page.contains("<a href=\"/runbooks/RedisDown\">RedisDown</a>") && page.contains("/runbooks/all"))
    let empty = GoldenPage.text(RunbookPage(index: [], notice: "none", metricsPath: "/metrics").response())
    #expect(empty.contains("<p class=\"dim\">none</p>"))
  }
}

@Suite struct LayoutTests {
  @Test func everyAnswerHasANonceOfItsOwn() throws {
    func nonce() throws -> String {
      let response = RunbookPage(index: [], notice: "", metricsPath: "/m").response()
      let policy = try #require(response.headers.first { $0.name == "Content-Security-Policy" }?.value)
      #expect(policy.hasPrefix("default-src 'none'; style-src 'nonce-") && !policy.contains("unsafe"))
      let nonce = try #require(policy.split(separator: "'nonce-").last?.prefix { $0 != "'" })
      #expect(String(decoding: response.body.bytes, as: UTF8.self).contains("<style nonce=\"\(nonce)\">"))
      return String(nonce)
    }
    let (first, second) = (try nonce(), try nonce())
    #expect(first != second && first.count > 16)
  }

  @Test func thePagesAreLinkedAndTheCurrentIsMarked() {
    let page = GoldenPage.text(RunbookPage(index: [], notice: "", metricsPath: "/m?\"").response())
    #expect(page.contains("<a href=\"/runbooks\" aria-current=\"page\">Runbooks</a>"))
    for link in ["\"/\">Workloads", "\"/alerts\">Alerts", "\"/events\">Events", "\"/m?&quot;\">Metrics"] {
      #expect(page.contains("<a href=\(link)</a>"), "\(link)")
    }
    #expect(page.contains("<a class=\"skip\" href=\"#content\">") && page.contains("<main id=\"content\""))
    #expect(page.contains("<html lang=\"en\">"))
  }

  @Test(arguments: [("a-1.b_c~", "a-1.b_c~"), ("a b/ü?", "a%20b%2F%C3%BC%3F"), ("\u{1}", "%01")])
  func pathWords(text: String, encoded: String) { #expect(pathEncoded(text) == encoded) }
}
