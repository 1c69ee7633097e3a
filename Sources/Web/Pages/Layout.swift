/// The frame of every page: styles inline, light and dark, one script of the daemon's own that no page needs, and nothing
/// from elsewhere.
public struct Layout: Sendable {
  /// Nothing but the page's own styles and the daemon's own script and icons is loaded or run, and nobody frames it.
  ///
  /// - Parameter nonce: of this answer alone: a style that gets into the page from elsewhere does not have it.
  static func contentSecurityPolicy(nonce: String) -> String {
    "default-src 'none'; style-src 'nonce-\(nonce)'; script-src 'self'; connect-src 'self'; img-src 'self'; "
      + "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
  }

  public var title: String
  /// In the tab and in bookmarks; nil for ``title``.
  var windowTitle: String?
  /// The state that the page's icon carries; nil for a page that tells none.
  var icon: TopologyPage.State?
  public var content: HTML
  /// Rules of this page beyond those of all pages.
  var styles: HTML = ""
  /// Seconds until a browser reloads the page, which needs no script; nil for never.
  var refreshSeconds: Int?
  /// nil on a page that leads nowhere.
  public var navigation: Navigation?

  public init(title: String, content: HTML) {
    self.title = title
    self.content = content
  }

  /// The page as an answer.
  public func response(status: Int = 200) -> Response {
    var random = SystemRandomNumberGenerator()
    let nonce = String(random.next() as UInt64, radix: 36) + String(random.next() as UInt64, radix: 36)
    return Response(
      status: status, contentType: "text/html; charset=utf-8",
      headers: [
        .init(name: "Content-Security-Policy", value: Self.contentSecurityPolicy(nonce: nonce)),
        .init(name: "X-Content-Type-Options", value: "nosniff"),
        .init(name: "Referrer-Policy", value: "no-referrer"),
        .init(name: "Cache-Control", value: "no-store"),
      ],
      body: Array(page(nonce: nonce).markup.utf8))
  }

  /// The page as a file that is read without the daemon: no script, no icon, no links to other pages.
  var standalone: String {
    let page: HTML = """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
      <title>\(windowTitle ?? title)</title>
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
    return page.markup
  }

  private func page(nonce: String) -> HTML {
    """
    <!doctype html>
    <html lang="en"\(html: refreshSeconds == nil ? "" : " data-live=\"yes\"")>
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(windowTitle ?? title)</title>\(iconLink)\(refresh)
    <script src="\(PageScript.path)" defer></script>
    <style nonce="\(nonce)">\(Self.styles)\(styles)</style>
    </head>
    <body>
    <a class="skip" href="#content">Skip to the content</a>
    \(navigation?.html ?? "")<main id="content" tabindex="-1">
    <h1>\(title)</h1>
    \(content)
    </main>
    </body>
    </html>

    """
  }

  private var iconLink: HTML { "\n<link rel=\"icon\" href=\"\(StateIcon.path(icon))\">" }

  private var refresh: HTML {
    refreshSeconds.map { "\n<noscript><meta http-equiv=\"refresh\" content=\"\($0)\"></noscript>" } ?? ""
  }
}
