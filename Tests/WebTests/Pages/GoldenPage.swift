import Config
import Glibc
import Runtime
import Testing

@testable import Web

/// Whole pages as files beside the tests; the browser check looks at the same files.
///
/// The rules that all pages share are a file of their own, and each page has a comment in their place.
enum GoldenPage {
  private static let folder = String(#filePath.dropLast("Pages/GoldenPage.swift".count)) + "Goldens"
  /// `UPDATE_GOLDEN=1` writes what the code says now, to be looked at before it is committed.
  private static let areUpdated = processEnvironment()["UPDATE_GOLDEN"] == "1"

  /// The page as it is sent; the nonce, which is another each time, is `NONCE`.
  static func text(_ response: Response) -> String {
    let page = String(decoding: response.body.bytes, as: UTF8.self)
    let policy = response.headers.first { $0.name == "Content-Security-Policy" }?.value ?? ""
    let nonce = policy.split(separator: "'nonce-").last?.prefix { $0 != "'" } ?? "none"
    return page.replacing("nonce=\"\(nonce)\"", with: "nonce=\"NONCE\"")
  }

  static func expect(_ response: Response, _ name: String, location: SourceLocation = #_sourceLocation) {
    let styles = Layout.styles.markup
    let page = text(response)
    #expect(page.contains(styles), sourceLocation: location)
    compare(styles, with: "style.css", location)
    compare(PageScript.text, with: "redline.js", location)
    compare(page.replacing(styles, with: "/* style.css */"), with: "\(name).html", location)
  }

  private static func compare(_ page: String, with name: String, _ location: SourceLocation) {
    let path = "\(folder)/\(name)"
    if areUpdated, let file = unsafe fopen(path, "w") {
      _ = unsafe fputs(page, file)
      _ = unsafe fclose(file)
    }
    let golden = SmallFile.text(path) ?? ""
    guard golden != page else { return }
    let (old, new) = (golden.split(separator: "\n"), page.split(separator: "\n"))
    let gone = old.filter { !Set(new).contains($0) }.prefix(10).map { "- \($0)" }
    let come = new.filter { !Set(old).contains($0) }.prefix(10).map { "+ \($0)" }
    Issue.record("\(name) differs:\n\((gone + come).joined(separator: "\n"))", sourceLocation: location)
  }

  /// What no page may let through, in any place.
  static let evil = "<script>alert('1')</script>\"&\u{0}"
  static let escaped = "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;\u{FFFD}"

  static func expectHarmless(_ page: String, location: SourceLocation = #_sourceLocation) {
    let page = page.replacing("<script src=\"\(PageScript.path)\" defer></script>", with: "")
    for part in [
      "<script", "alert('", "\u{0}", "src=", "style=\"", "javascript:", " onload", "url(", "&lt;p", "&lt;li",
      "&lt;span", "&lt;a",
    ] {
      #expect(!page.contains(part), "\(part)", sourceLocation: location)
    }
  }
}
