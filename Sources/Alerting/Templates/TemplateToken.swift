/// A piece of a template's text.
struct TemplateToken: Equatable {
  enum Kind: Equatable {
    case text, leftDelimiter, rightDelimiter, space, pipe, leftParenthesis, rightParenthesis
    case assign, declare
    case bool, number, complex, character, string, rawString
    case identifier, field, variable, dot, `nil`
    case keyword
    /// Any other printable character, a comma for one.
    case other
    /// The value is the error's text.
    case error
    case end
  }

  let kind: Kind
  let value: String
  /// Bytes before it in the text.
  let offset: Int

  /// As error texts of Go show it.
  var described: String {
    switch kind {
    case .end: return "EOF"
    case .error: return value
    case .keyword, .dot, .nil: return "<\(value)>"
    default:
      let characters = value.unicodeScalars
      guard value.utf8.count > 10 else { return GoQuote.quoted(value) }
      return GoQuote.quoted(String(String.UnicodeScalarView(characters.prefix(10)))) + "..."
    }
  }

  static let keywords: Set<String> = [
    "block", "break", "continue", "define", "else", "end", "if", "range", "template", "with",
  ]
}
