import Config
import Runtime

/// The runbooks of a directory: one Markdown file for each alert, `RedisDown.md`.
public struct RunbookLibrary: Sendable {
  /// The most files that are looked at.
  static let fileLimit = 2000
  /// Longer texts are cut.
  static let textLimitBytes = 64 * 1024

  public let directory: String

  public init(directory: String) { self.directory = directory }

  /// The alerts that have one, sorted.
  public func names() -> [String] {
    SmallFile.names(inDirectory: directory, limit: Self.fileLimit)
      .compactMap { $0.hasSuffix(".md") ? String($0.dropLast(3)) : nil }.filter(Self.isName).sorted()
  }

  /// - Returns: nil for what is no name of an alert, and where there is no text. Without its front matter.
  public func text(_ name: String) -> String? {
    file(name).map { RunbookFrontMatter.split($0).text }
  }

  /// What stands above a runbook; nil where there is no such runbook.
  ///
  /// - Throws: what is wrong with it.
  public func frontMatter(_ name: String) throws(ConfigErrors) -> RunbookFrontMatter? {
    guard let text = file(name) else { return nil }
    return try RunbookFrontMatter(text, file: "\(directory)/\(name).md")
  }

  private func file(_ name: String) -> String? {
    guard Self.isName(name) else { return nil }
    return SmallFile.text("\(directory)/\(name).md", limit: Self.textLimitBytes)
  }

  /// The text with what is to be filled in by hand, where nothing is known.
  public static func unfilled(_ text: String) -> String { RunbookText.now(text, for: RunbookTarget()) }

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
