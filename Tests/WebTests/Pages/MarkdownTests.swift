import Testing

@testable import Web

@Suite struct MarkdownTests {
  private func html(_ text: String, offset: Int = 0, pages: Set<String> = []) -> String {
    Markdown(text, headingOffset: offset, pages: pages).html.markup
  }

  @Test(arguments: [
    ("a *b* **c** `d<e`", "<p>a <em>b</em> <strong>c</strong> <code>d&lt;e</code></p>\n"),
    ("# A\n## B\n", "<h1>A</h1>\n<h2>B</h2>\n"),
    ("1. a\n   - b\n2. c\n", "<ol>\n<li>a\n<ul>\n<li>b</li>\n</ul>\n</li>\n<li>c</li>\n</ol>\n"),
    ("> a\n", "<blockquote>\n<p>a</p>\n</blockquote>\n"),
    (
      "```sh\na | b && c <d>\n```\n",
      "<pre tabindex=\"0\"><code class=\"language-sh\">a | b &amp;&amp; c &lt;d&gt;\n</code></pre>\n"
    ),
    (
      "|a|b|\n|-|-|\n|1|<2>|\n",
      "<table tabindex=\"0\">\n<thead>\n<tr>\n<th>a</th>\n<th>b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n<td>&lt;2&gt;</td>\n</tr>\n</tbody>\n</table>\n"
    ),
    ("~~x~~ [[y]] :::", "<p>~~x~~ [[y]] :::</p>\n"),
  ])
  func syntax(text: String, expected: String) { #expect(html(text) == expected) }

  @Test func htmlIsText() {
    #expect(html("a <b onclick='x'>c</b>") == "<p>a &lt;b onclick='x'&gt;c&lt;/b&gt;</p>\n")
    let block = html("<script>alert(1)</script>\n\nafter\n")
    #expect(block.hasPrefix("<p>&lt;script&gt;alert(1)&lt;/script&gt;") && block.contains("<p>after</p>"))
    #expect(!html("<!-- a --> <?b?> <![CDATA[c]]>").contains("<!"))
  }

  @Test(arguments: [
    ("https://a.example/b?c=d&e", "https://a.example/b?c=d&amp;e"), ("HTTP://a", "HTTP://a"),
    ("/alerts#x", "/alerts#x"),
    ("b/c", "b/c"), ("RedisDown.md", "/runbooks/RedisDown"), ("RedisDown", "/runbooks/RedisDown"),
  ])
  func linksThatLead(address: String, target: String) {
    #expect(html("[x](\(address))", pages: ["RedisDown"]) == "<p><a href=\"\(target)\">x</a></p>\n")
  }

  @Test(arguments: [
    "javascript:alert(1)", "JaVaScript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "mailto:a@b",
    "//evil.example/", "/\\evil.example", "java&#10;script:alert(1)", "&#106;avascript:alert(1)",
  ])
  func linksThatDoNot(address: String) {
    #expect(html("[*x*](\(address)) [x](<\(address)>)") == "<p><em>x</em> x</p>\n")
  }

  @Test func anImageIsItsDescription() {
    #expect(html("![a *b* <i>](http://evil.example/x.png \"t\")") == "<p>a <em>b</em> &lt;i&gt;</p>\n")
    #expect(html("[![a](b.png)](javascript:x)") == "<p>a</p>\n")
  }

  @Test func namesOfRunbooksAreLinked() {
    let page = html("else RedisDown, not RedisDownX. [RedisDown](/a) `RedisDown`", pages: ["RedisDown"])
    #expect(page.contains("else <a href=\"/runbooks/RedisDown\">RedisDown</a>, not RedisDownX."))
    #expect(page.contains("<a href=\"/a\">RedisDown</a> <code>RedisDown</code>"))
  }

  @Test func headingsAreLoweredAndTheTitleLeftOut() {
    #expect(html("# A\n###### B", offset: 2) == "<h3>A</h3>\n<h6>B</h6>\n")
    #expect(Markdown("# A\n\nb\n", omitsTitle: true).html.markup == "<p>b</p>\n")
    #expect(Markdown("## A\n", omitsTitle: true).html.markup == "<h2>A</h2>\n")
  }

  @Test func hostileTextsEnd() {
    for text in ["[", "![", "> ", "- ", "*a ", "`", "<", "|a", "\u{0}", "\u{FFFD}]("] {
      let page = html(String(repeating: text, count: 40_000))
      #expect(page.utf8.count < 4_000_000 && !page.contains("\u{0}"), "\(text)")
    }
  }
}
