import CCmark
import CCmarkExtensions
import Glibc

/// A Markdown text as HTML: CommonMark with tables.
///
/// What is HTML in the text is shown as text. Links lead to http, https and places of the same server, others are words;
/// nothing is loaded, so an image is its description.
public struct Markdown: Sendable {
  /// Longer texts are cut.
  public static let limitBytes = 64 * 1024

  public let html: HTML

  /// - Parameters:
  ///   - headingOffset: how many levels below the text's own its headings are.
  ///   - omitsTitle: whether a heading of the first level at the beginning is left out, as the page has it.
  ///   - pages: names of runbooks: where the text names one, it is linked.
  ///   - query: what the addresses of those end with.
  public init(
    _ text: String, headingOffset: Int = 0, omitsTitle: Bool = false, pages: Set<String> = [], query: String = ""
  ) {
    html = MarkdownTree.html(
      text, headingOffset: headingOffset, omitsTitle: omitsTitle, links: MarkdownLinks(pages: pages, query: query))
  }
}

/// Where links may lead.
struct MarkdownLinks {
  let pages: Set<String>
  var query = ""

  /// Of the runbook of that name.
  func page(_ name: String) -> String { "/runbooks/\(name)\(query)" }

  /// The address as it is to be followed; nil for one that is not.
  func target(_ address: String) -> String? {
    let name = address.hasSuffix(".md") ? String(address.dropLast(3)) : address
    if pages.contains(name) { return page(name) }
    let head = address.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    if let colon = head.firstIndex(of: ":") {
      return ["http", "https"].contains(head[..<colon].lowercased()) ? address : nil
    }
    // Without a scheme, but with a host: browsers take a backslash for a slash.
    let isElsewhere = address.hasPrefix("//") || address.contains("\\")
    return isElsewhere || address.contains { $0.isNewline || $0 == "\t" } ? nil : address
  }

  /// The text in pieces, those that are the name of a page on their own.
  func pieces(_ text: String) -> [(text: String, isPage: Bool)] {
    guard !pages.isEmpty else { return [(text, false)] }
    var pieces: [(text: String, isPage: Bool)] = []
    var plain = ""
    var rest = Substring(text)
    while let first = rest.first {
      let isWord = Self.isWord(first)
      let piece = rest.prefix { Self.isWord($0) == isWord }
      rest = rest[piece.endIndex...]
      guard isWord, pages.contains(String(piece)) else {
        plain += piece
        continue
      }
      if !plain.isEmpty { pieces.append((plain, false)) }
      pieces.append((String(piece), true))
      plain = ""
    }
    return plain.isEmpty ? pieces : pieces + [(plain, false)]
  }

  private static func isWord(_ character: Character) -> Bool {
    character.isLetter || character.isNumber || character == "_"
  }
}

/// The tree that cmark reads, changed to what may be shown, and written by cmark in its safe mode.
private enum MarkdownTree {
  typealias Node = OpaquePointer

  private static let isRegistered: Bool = {
    cmark_gfm_core_extensions_ensure_registered()
    return true
  }()

  static func html(_ text: String, headingOffset: Int, omitsTitle: Bool, links: MarkdownLinks) -> HTML {
    let bytes = Array(text.utf8.prefix(Markdown.limitBytes))
    guard isRegistered, let parser = unsafe cmark_parser_new(CMARK_OPT_DEFAULT) else { return "" }
    defer { unsafe cmark_parser_free(parser) }
    if let table = unsafe cmark_find_syntax_extension("table") {
      _ = unsafe cmark_parser_attach_syntax_extension(parser, table)
    }
    unsafe bytes.withUnsafeBytes { bytes in
      let start = unsafe bytes.bindMemory(to: CChar.self).baseAddress
      unsafe cmark_parser_feed(parser, start, bytes.count)
    }
    guard let root = unsafe cmark_parser_finish(parser) else { return "" }
    defer { unsafe cmark_node_free(root) }
    if omitsTitle, let title = unsafe cmark_node_first_child(root), unsafe isTitle(title) {
      unsafe replace(title, with: [])
    }
    let nodes = unsafe nodes(root)
    for index in unsafe nodes.indices { unsafe change(nodes[index], headingOffset, links) }
    let extensions = unsafe cmark_parser_get_syntax_extensions(parser)
    guard let rendered = unsafe cmark_render_html(root, CMARK_OPT_DEFAULT, extensions) else { return "" }
    defer { unsafe free(rendered) }
    // What scrolls by itself can be reached with the keyboard. Nobody's own tags are left in safe mode.
    let text = unsafe String(cString: rendered).replacing("<pre><code", with: "<pre tabindex=\"0\"><code")
      .replacing("<table>", with: "<table tabindex=\"0\">")
    return HTML(trusted: text)
  }

  /// Every node once, children after their parents.
  private static func nodes(_ root: Node) -> [Node] {
    guard let iterator = unsafe cmark_iter_new(root) else { return unsafe [] }
    defer { unsafe cmark_iter_free(iterator) }
    var nodes = unsafe [Node]()
    while true {
      let event = unsafe cmark_iter_next(iterator)
      if event == CMARK_EVENT_DONE { return unsafe nodes }
      if event == CMARK_EVENT_ENTER, let node = unsafe cmark_iter_get_node(iterator) {
        unsafe nodes.append(node)
      }
    }
  }

  private static func change(_ node: Node, _ headingOffset: Int, _ links: MarkdownLinks) {
    switch unsafe cmark_node_get_type(node) {
    case CMARK_NODE_HEADING:
      let level = unsafe Int(cmark_node_get_heading_level(node)) + headingOffset
      _ = unsafe cmark_node_set_heading_level(node, CInt(min(max(level, 1), 6)))
    case CMARK_NODE_HTML_BLOCK:
      guard let paragraph = unsafe cmark_node_new(CMARK_NODE_PARAGRAPH) else { return }
      if let text = unsafe textNode(literal(node)) { _ = unsafe cmark_node_append_child(paragraph, text) }
      unsafe replace(node, with: [paragraph])
    case CMARK_NODE_HTML_INLINE: unsafe replace(node, with: [textNode(literal(node))].compactMap { unsafe $0 })
    case CMARK_NODE_IMAGE: unsafe unwrap(node)
    case CMARK_NODE_LINK:
      let address = unsafe cmark_node_get_url(node).map { unsafe String(cString: $0) } ?? ""
      if let target = links.target(address) { _ = unsafe cmark_node_set_url(node, target) } else { unsafe unwrap(node) }
    case CMARK_NODE_TEXT:
      guard unsafe !isInLink(node) else { return }
      let pieces = unsafe links.pieces(literal(node))
      guard pieces.contains(where: \.isPage) else { return }
      unsafe replace(
        node,
        with: pieces.compactMap { unsafe $0.isPage ? link($0.text, to: links.page($0.text)) : textNode($0.text) })
    default: break
    }
  }

  private static func isTitle(_ node: Node) -> Bool {
    unsafe cmark_node_get_type(node) == CMARK_NODE_HEADING && cmark_node_get_heading_level(node) == 1
  }

  private static func literal(_ node: Node) -> String {
    unsafe cmark_node_get_literal(node).map { unsafe String(cString: $0) } ?? ""
  }

  private static func isInLink(_ node: Node) -> Bool {
    var parent = unsafe cmark_node_parent(node)
    while let node = unsafe parent {
      if unsafe cmark_node_get_type(node) == CMARK_NODE_LINK { return true }
      unsafe parent = unsafe cmark_node_parent(node)
    }
    return false
  }

  private static func textNode(_ text: String) -> Node? {
    guard let node = unsafe cmark_node_new(CMARK_NODE_TEXT) else { return nil }
    _ = unsafe cmark_node_set_literal(node, text)
    return unsafe node
  }

  private static func link(_ text: String, to address: String) -> Node? {
    guard let node = unsafe cmark_node_new(CMARK_NODE_LINK) else { return nil }
    _ = unsafe cmark_node_set_url(node, address)
    if let text = unsafe textNode(text) { _ = unsafe cmark_node_append_child(node, text) }
    return unsafe node
  }

  private static func replace(_ node: Node, with others: [Node]) {
    for index in unsafe others.indices { _ = unsafe cmark_node_insert_before(node, others[index]) }
    unsafe cmark_node_unlink(node)
    unsafe cmark_node_free(node)
  }

  /// Leaves the children in the node's place. They are still to be visited, so they stay the nodes that they are.
  private static func unwrap(_ node: Node) {
    while let child = unsafe cmark_node_first_child(node) {
      guard unsafe cmark_node_insert_before(node, child) == 1 else { break }
    }
    unsafe cmark_node_unlink(node)
    // A child that could not be moved may be visited yet; the tree's own memory is small and bounded.
    if unsafe cmark_node_first_child(node) == nil { unsafe cmark_node_free(node) }
  }
}
