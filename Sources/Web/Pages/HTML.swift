import Runtime

/// HTML text. What is put into it with `\(…)` is escaped, unless it is HTML itself.
public struct HTML: Sendable, Equatable, ExpressibleByStringInterpolation {
  /// The markup.
  public let markup: String

  public init(stringLiteral value: String) { markup = value }
  public init(stringInterpolation: StringInterpolation) { markup = stringInterpolation.markup }

  /// Plain text, escaped for content and for quoted attributes.
  public init(text: String) { markup = Self.escaped(text) }

  private init(markup: String) { self.markup = markup }

  /// Markup from a library that has escaped what is not its own.
  init(trusted markup: String) { self.markup = markup }

  public static func joined(_ parts: [HTML]) -> HTML {
    HTML(markup: parts.map(\.markup).joined())
  }

  public struct StringInterpolation: StringInterpolationProtocol, Sendable {
    fileprivate var markup = ""

    public init(literalCapacity: Int, interpolationCount: Int) { markup.reserveCapacity(literalCapacity * 2) }
    public mutating func appendLiteral(_ literal: String) { markup += literal }
    public mutating func appendInterpolation(_ html: HTML) { markup += html.markup }
    /// For a choice between literals, which would be text otherwise.
    public mutating func appendInterpolation(html: HTML) { markup += html.markup }
    public mutating func appendInterpolation(_ text: String) { markup += HTML.escaped(text) }
    public mutating func appendInterpolation(_ number: Int) { markup += String(number) }
  }

  /// Names and texts of servers are among what is shown: no secret is repeated.
  static func escaped(_ text: String) -> String {
    let text = KnownSecrets.masked(text, sparesWords: true)
    var output = ""
    output.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": output += "&amp;"
      case "<": output += "&lt;"
      case ">": output += "&gt;"
      case "\"": output += "&quot;"
      case "'": output += "&#39;"
      // Controls are not allowed in a page at all; what turns the direction of writing would make it say something else.
      case _ where scalar.isInvisible && scalar != "\n" && scalar != "\t": output += "\u{FFFD}"
      default: output.unicodeScalars.append(scalar)
      }
    }
    return output
  }
}
