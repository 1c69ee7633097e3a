/// The pages below `/runbooks`: what to do about an alert, to be read or printed.
public struct RunbookPage: Sendable {
  /// One text with the name of its alert.
  public struct Runbook: Sendable {
    public var name: String
    public var text: Markdown

    public init(_ name: String, _ text: Markdown) {
      self.name = name
      self.text = text
    }
  }

  private let title: String
  private let metricsPath: String
  private let content: HTML
  private let isIndex: Bool

  /// One runbook.
  public init(_ runbook: Runbook, metricsPath: String) {
    title = runbook.name
    self.metricsPath = metricsPath
    content = """
      <p class="dim screen"><a href="/runbooks">All runbooks</a> · <a href="/alerts">What fires now</a></p>
      <article class="markdown">\(runbook.text.html)</article>
      """
    isIndex = false
  }

  /// All of them one after another, for paper.
  public init(all runbooks: [Runbook], metricsPath: String) {
    title = "All runbooks"
    self.metricsPath = metricsPath
    let parts: [HTML] = runbooks.map { runbook in
      """
      <article class="markdown sheet" id="\(pathEncoded(runbook.name))"><h2>\(runbook.name)</h2>
      \(runbook.text.html)</article>

      """
    }
    content = """
      <p class="dim screen"><a href="/runbooks">List of the runbooks</a></p>
      \(HTML.joined(parts))
      """
    isIndex = false
  }

  /// The list of them.
  ///
  /// - Parameter notice: why it is empty, where it is.
  public init(index names: [String], notice: String, metricsPath: String) {
    title = "Runbooks"
    self.metricsPath = metricsPath
    let links: [HTML] = names.map { "<li><a href=\"/runbooks/\(pathEncoded($0))\">\($0)</a></li>\n" }
    content =
      names.isEmpty
      ? "<p class=\"dim\">\(notice)</p>"
      : """
      <p><a href="/runbooks/all">All on one page</a>, to be printed and laid beside the telephone.</p>
      <ul class="index">
      \(HTML.joined(links))</ul>
      """
    isIndex = true
  }

  public func response() -> Response {
    var layout = Layout(title: title, content: content)
    layout.styles = isIndex ? Self.indexStyles : Self.pageStyles
    layout.navigation = Navigation(.runbooks, metricsPath: metricsPath)
    return layout.response()
  }

  private static let indexStyles: HTML = """

    .index { columns: 20rem; padding-left: 1.2rem; } .index a { display: inline-block; padding: .2rem 0; }
    """

  private static let pageStyles: HTML = """

    main { max-width: 52rem; }
    .sheet { border-top: 2px solid var(--line); }
    @media print { .sheet { break-after: page; border: 0; } }
    \(markdownStyles)
    """

  /// Of a text that was Markdown. Tables scroll by themselves; the page never does.
  static let markdownStyles: HTML = """
    .runbook { border: 1px solid var(--line); border-radius: .3rem; padding: 0 .8rem; margin: .4rem 0; }
    .runbook summary { font-weight: 600; color: var(--link); }
    .markdown table { display: block; overflow-x: auto; } .markdown th { min-width: 6rem; }
    .markdown blockquote { margin: .5rem 0; padding: 0 0 0 .9rem; border-left: .25rem solid var(--line); }
    .markdown ol, .markdown ul { padding-left: 1.4rem; } .markdown li { margin: .3rem 0; }
    """
}
