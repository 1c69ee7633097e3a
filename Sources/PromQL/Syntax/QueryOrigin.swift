/// Where the text of a query was written, so that errors can name it.
public struct QueryOrigin: Sendable, Hashable {
  /// The file, or another name for the place, such as `query`.
  public let file: String
  /// Line and column of the query's first character, both from 1.
  public let line: Int
  public let column: Int

  public init(file: String, line: Int = 1, column: Int = 1) {
    self.file = file
    self.line = line
    self.column = column
  }

  /// A query that stands alone.
  public static let query = QueryOrigin(file: "query")
}

/// The part of a query's text that something comes from, in bytes of UTF-8.
public typealias SourceRange = Range<Int>

/// What is wrong with the text of a query.
///
/// Printed as `rules.yml:12:9: unknown function "rat"` with the line and a caret below it.
public struct QuerySyntaxError: Error, Sendable, Equatable, CustomStringConvertible {
  public let message: String
  public let origin: QueryOrigin
  public let range: SourceRange
  /// Prometheus would take the query, if only behind a feature flag or for native histograms.
  public let isUnsupported: Bool
  private let text: String

  init(
    _ message: String, at range: SourceRange, in text: String, origin: QueryOrigin, isUnsupported: Bool = false
  ) {
    self.isUnsupported = isUnsupported
    self.message = message
    self.range = range
    self.text = text
    self.origin = origin
  }

  /// The line in the file, from 1.
  public var line: Int { origin.line + place.line }
  /// The column in the file, from 1, in characters.
  public var column: Int { place.column + (place.line == 0 ? origin.column : 1) }

  private var place: SourcePlace { SourcePlace(of: range.lowerBound, in: text) }

  public var description: String {
    let place = place
    let (shown, caret) = place.excerpt(widthLimit: 100)
    return "\(origin.file):\(line):\(column): \(message)\n  \(shown)\n  \(caret)"
  }
}

/// A byte's place among the lines of a text, both counted from 0.
struct SourcePlace {
  let line: Int
  /// In characters.
  let column: Int
  private let lineText: String

  init(of offset: Int, in text: String) {
    let bytes = Array(text.utf8)
    let offset = min(offset, bytes.count)
    let newline = UInt8(ascii: "\n")
    let start = bytes[..<offset].lastIndex(of: newline).map { $0 + 1 } ?? 0
    let end = bytes[offset...].firstIndex(of: newline) ?? bytes.count
    line = bytes[..<start].count { $0 == newline }
    column = String(decoding: bytes[start..<offset], as: UTF8.self).count
    lineText = String(decoding: bytes[start..<end], as: UTF8.self)
  }

  /// The line, or the part of a long one around the place, control characters shown as blanks, and a caret below it.
  func excerpt(widthLimit: Int) -> (line: String, caret: String) {
    let first = max(0, column - widthLimit * 2 / 3)
    let shown = lineText.dropFirst(first).prefix(widthLimit).map { character -> Character in
      character.unicodeScalars.first.map { $0.value < 0x20 || $0.value == 0x7F } ?? true ? " " : character
    }
    return (String(shown), String(repeating: " ", count: column - first) + "^")
  }
}
