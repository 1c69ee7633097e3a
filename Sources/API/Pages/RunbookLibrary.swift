import Runtime
import Web

/// The runbooks of a directory: one Markdown file for each alert, `RedisDown.md`.
struct RunbookLibrary: Sendable {
  /// The most files that are looked at.
  static let fileLimit = 2000

  let directory: String

  /// The alerts that have one, sorted.
  func names() -> [String] {
    SmallFile.names(inDirectory: directory, limit: Self.fileLimit)
      .compactMap { $0.hasSuffix(".md") ? String($0.dropLast(3)) : nil }.filter(Self.isName).sorted()
  }

  /// - Parameter headingOffset: how far below the page's own heading those of the text are.
  /// - Returns: nil for what is no name of an alert, and where there is no text.
  func text(_ name: String, headingOffset: Int = 0, pages: Set<String>) -> Markdown? {
    guard Self.isName(name), let text = SmallFile.text("\(directory)/\(name).md", limit: Markdown.limitBytes) else {
      return nil
    }
    return Markdown(text, headingOffset: headingOffset, omitsTitle: true, pages: pages)
  }

  /// Only what a metric could be called: no name leads out of the directory.
  static func isName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= 128
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
          true
        default: false
        }
      }
  }
}
