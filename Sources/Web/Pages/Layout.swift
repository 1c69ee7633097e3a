/// The frame of every page: one file, styles inline, light and dark, no script and nothing from elsewhere.
public struct Layout: Sendable {
  /// Nothing but the page's own styles is loaded or run, and nobody frames it.
  static let contentSecurityPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

  public var title: String
  public var content: HTML
  /// Rules of this page beyond those of all pages.
  var styles: HTML = ""
  /// Seconds until a browser loads the page anew, which needs no script; nil for never.
  var refreshSeconds: Int?

  public init(title: String, content: HTML) {
    self.title = title
    self.content = content
  }

  /// The page as an answer.
  public func response(status: Int = 200) -> Response {
    Response(
      status: status, contentType: "text/html; charset=utf-8",
      headers: [
        .init(name: "Content-Security-Policy", value: Self.contentSecurityPolicy),
        .init(name: "X-Content-Type-Options", value: "nosniff"),
        .init(name: "Referrer-Policy", value: "no-referrer"),
        .init(name: "Cache-Control", value: "no-store"),
      ],
      body: Array(page.markup.utf8))
  }

  var page: HTML {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(title)</title>\(refresh)
    <style>\(Self.styles)\(styles)</style>
    </head>
    <body>
    <main>
    <h1>\(title)</h1>
    \(content)
    </main>
    </body>
    </html>

    """
  }

  private var refresh: HTML {
    refreshSeconds.map { "\n<meta http-equiv=\"refresh\" content=\"\($0)\">" } ?? ""
  }

  private static let styles: HTML = """
    :root { color-scheme: light dark; --line: #d5d9de; --dim: #5c6570; --good: #1a7f37; --bad: #b42318; --link: #0b62c4; }
    @media (prefers-color-scheme: dark) {
      :root { --line: #3a4048; --dim: #9aa4af; --good: #57c271; --bad: #ff8a7a; --link: #7ab7ff; }
    }
    body { font: 15px/1.5 system-ui, sans-serif; margin: 0; }
    main { max-width: 64rem; margin: 0 auto; padding: 2rem 1rem; }
    h1 { font-size: 1.4rem; margin: 0 0 1rem; }
    h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem; }
    a { color: var(--link); }
    .dim { color: var(--dim); }
    .good { color: var(--good); }
    .bad { color: var(--bad); }
    .table { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; }
    th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
    th { font-weight: 600; color: var(--dim); }
    td { overflow-wrap: anywhere; }
    """
}
