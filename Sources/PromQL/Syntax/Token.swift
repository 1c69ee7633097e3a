/// A word of the language.
struct Token: Equatable {
  enum Kind: Equatable {
    /// Letters, digits, underscores; colons too outside of braces and brackets. Keywords are among them: which word is
    /// one depends on where it stands.
    case identifier
    case number(Double)
    /// Written with units, such as `1h30m`.
    case duration(milliseconds: Int64)
    case string(String)
    /// An operator or a bracket.
    case symbol(Symbol)
    case end
  }

  enum Symbol: String, Equatable {
    case leftParenthesis = "("
    case rightParenthesis = ")"
    case leftBrace = "{"
    case rightBrace = "}"
    case leftBracket = "["
    case rightBracket = "]"
    case comma = ","
    case colon = ":"
    case at = "@"
    case assign = "="
    case equal = "=="
    case notEqual = "!="
    case matches = "=~"
    case matchesNot = "!~"
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case plus = "+"
    case minus = "-"
    case times = "*"
    case divide = "/"
    case modulo = "%"
    case power = "^"
  }

  let kind: Kind
  let range: SourceRange
  /// As written.
  let text: String

  /// How errors speak of it.
  var described: String {
    switch kind {
    case .identifier: "\(quoted(text))"
    case .number: "number \(quoted(text))"
    case .duration: "duration \(quoted(text))"
    case .string: "string \(text)"
    case .symbol: "\(quoted(text))"
    case .end: "end of input"
    }
  }
}
