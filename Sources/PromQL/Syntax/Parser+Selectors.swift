import Runtime

extension Parser {
  /// `name{…}`, `name` or `{…}`; the name's token is taken already.
  mutating func selector(named token: Token?, mayBeEmpty: Bool = false) throws(QuerySyntaxError) -> Expression.Selector
  {
    let start = (token ?? current).range.lowerBound
    var matchers: [LabelMatcher] = []
    var name = token?.text
    if take(.leftBrace) {
      while !take(.rightBrace) {
        if case .string(let quotedName) = current.kind, dialect.hasWideSyntax, isEndOfMatcher(following) {
          guard name == nil else {
            throw error("the metric's name must not be set twice: \(quoted(name!)) and \(quoted(quotedName))")
          }
          take()
          name = quotedName
        } else {
          matchers.append(try matcher())
        }
        if take(.rightBrace) { break }
        try expect(.comma, in: "the selector")
      }
    }
    let place = start..<lastEnd
    if let name {
      if let other = matchers.first(where: { $0.name == Labels.metricName }) {
        throw error("the metric's name must not be set twice: \(quoted(name)) and \(other)", at: place)
      }
      // An equality has no expression that could fail.
      if let matcher = try? LabelMatcher(Labels.metricName, .equal, name) { matchers.append(matcher) }
    } else if !mayBeEmpty, matchers.allSatisfy(\.matchesEmpty) {
      throw error("a selector needs a name or one matcher that does not match the empty string", at: place)
    }
    return Expression.Selector(metricName: name, matchers: matchers, place: place)
  }

  private func isEndOfMatcher(_ token: Token) -> Bool {
    token.kind == .symbol(.comma) || token.kind == .symbol(.rightBrace)
  }

  private mutating func matcher() throws(QuerySyntaxError) -> LabelMatcher {
    let nameToken = current
    let name: String
    switch nameToken.kind {
    case .identifier: name = nameToken.text
    case .string(let text) where dialect.hasWideSyntax && !text.isEmpty: name = text
    default: throw unexpected(in: "the selector", expected: "a label name or \"}\"")
    }
    take()
    guard case .symbol(let symbol) = current.kind, let comparison = LabelMatcher.Comparison(rawValue: symbol.rawValue)
    else { throw unexpected(in: "the selector", expected: "one of =, !=, =~, !~") }
    take()
    guard case .string(let value) = current.kind else {
      throw unexpected(in: "the selector", expected: "the label's value as a string")
    }
    let valueRange = take().range
    do throws(RegexError) {
      return try LabelMatcher(name, comparison, value, dotMatchesNewline: dialect == .prometheus3)
    } catch {
      throw self.error(error.description, at: valueRange)
    }
  }

  /// The operand with the ranges, offsets and `@` behind it.
  mutating func modified(_ operand: Expression) throws(QuerySyntaxError) -> Expression {
    var operand = operand
    while true {
      switch current.kind {
      case .symbol(.leftBracket): operand = try ranged(operand)
      case .symbol(.at): operand = try anchored(operand)
      case .identifier where Keyword(current) == .offset: operand = try offset(operand)
      case .identifier where Keyword.refusedModifiers.contains(current.text.lowercased()):
        throw unsupported("\(current.text) is experimental in Prometheus and not supported here")
      default: return operand
      }
    }
  }

  /// `[5m]` or `[1h:1m]`
  private mutating func ranged(_ operand: Expression) throws(QuerySyntaxError) -> Expression {
    let bracket = take().range
    let range = try duration(in: "the range", mustBePositive: true)
    let start = operand.place.lowerBound
    if take(.colon) {
      let step =
        current.kind == .symbol(.rightBracket) ? nil : try duration(in: "the subquery's step", mustBePositive: true)
      try expect(.rightBracket, in: "the subquery")
      guard operand.type == .vector else {
        throw error(
          "a subquery is only allowed on an instant vector, not on a \(operand.type.rawValue)", at: operand.place)
      }
      return .subquery(
        .init(expression: operand, rangeMilliseconds: range, stepMilliseconds: step, place: start..<lastEnd))
    }
    try expect(.rightBracket, in: "the range")
    guard case .selector(let selector) = operand else {
      throw error("a range is only allowed behind a selector; for an expression write [range:step]", at: bracket)
    }
    guard selector.shift == TimeShift() else {
      throw error("offset and @ stand behind the range, not in front of it", at: bracket)
    }
    return .range(.init(selector: selector, rangeMilliseconds: range, place: start..<lastEnd))
  }

  private mutating func offset(_ operand: Expression) throws(QuerySyntaxError) -> Expression {
    let keyword = take().range
    let isNegative = current.kind == .symbol(.minus)
    if isNegative || current.kind == .symbol(.plus) { take() }
    let amount = try duration(in: "offset", mustBePositive: !dialect.hasWideSyntax, isInBrackets: false)
    guard let shift = operand.shift else {
      throw error("offset is only allowed behind a selector, a range or a subquery", at: keyword)
    }
    guard shift.offsetMilliseconds == 0 else { throw error("offset may be given once", at: keyword) }
    return operand.shifted(
      TimeShift(offsetMilliseconds: isNegative ? -amount : amount, anchor: shift.anchor), to: lastEnd)
  }

  private mutating func anchored(_ operand: Expression) throws(QuerySyntaxError) -> Expression {
    let sign = take().range
    guard let shift = operand.shift else {
      throw error("@ is only allowed behind a selector, a range or a subquery", at: sign)
    }
    guard shift.anchor == nil else { throw error("@ may be given once", at: sign) }
    return operand.shifted(
      TimeShift(offsetMilliseconds: shift.offsetMilliseconds, anchor: try anchor()), to: lastEnd)
  }

  private mutating func anchor() throws(QuerySyntaxError) -> TimeShift.Anchor {
    if let keyword = Keyword(current), keyword == .start || keyword == .end {
      take()
      try expect(.leftParenthesis, in: "@ \(keyword.rawValue)()")
      try expect(.rightParenthesis, in: "@ \(keyword.rawValue)()")
      return keyword == .start ? .start : .end
    }
    let start = current.range.lowerBound
    let isNegative = current.kind == .symbol(.minus)
    if isNegative || current.kind == .symbol(.plus) { take() }
    let seconds: Double
    switch current.kind {
    case .number(let value): seconds = value
    case .duration(let milliseconds) where dialect.hasWideSyntax: seconds = Double(milliseconds) / 1000
    case .identifier where ["inf", "nan"].contains(current.text.lowercased()): seconds = .nan
    default: throw unexpected(in: "@", expected: "a time in seconds, start() or end()")
    }
    take()
    let milliseconds = ((isNegative ? -seconds : seconds) * 1000).rounded(.toNearestOrAwayFromZero)
    guard milliseconds.magnitude < Self.largestTimeMilliseconds else {
      throw error("the time behind @ is out of bounds", at: start..<lastEnd)
    }
    return .milliseconds(Int64(clamping: milliseconds))
  }

  /// So far from overflow that ranges and offsets can be added.
  private static var largestTimeMilliseconds: Double { 9e17 }

  /// Milliseconds; 3.x takes a number of seconds too.
  private mutating func duration(
    in context: String, mustBePositive: Bool, isInBrackets: Bool = true
  ) throws(QuerySyntaxError) -> Int64 {
    let token = current
    let milliseconds: Int64
    switch token.kind {
    case .duration(let value): milliseconds = value
    case .number(let seconds) where dialect.hasWideSyntax && (seconds * 1000).magnitude < 9e15:
      milliseconds = Int64(clamping: (seconds * 1000).rounded(.toNearestOrAwayFromZero))
    default:
      if startsDurationExpression(token) { throw durationExpression() }
      throw unexpected(in: context, expected: "a duration such as 5m")
    }
    guard milliseconds > 0 || !mustBePositive else { throw error("a duration must be greater than 0") }
    take()
    if isInBrackets, BinaryOperator(current)?.isArithmetic == true { throw durationExpression() }
    return milliseconds
  }

  private func startsDurationExpression(_ token: Token) -> Bool {
    switch token.kind {
    case .symbol(.leftParenthesis), .symbol(.minus), .symbol(.plus): true
    case .identifier: Keyword.ofDurations.contains(token.text.lowercased())
    default: false
    }
  }

  private func durationExpression() -> QuerySyntaxError {
    unsupported("calculating with durations is experimental in Prometheus and not supported here")
  }
}

extension Expression {
  /// Offset and `@` of a node that may have them.
  fileprivate var shift: TimeShift? {
    switch self {
    case .selector(let node): node.shift
    case .range(let node): node.selector.shift
    case .subquery(let node): node.shift
    default: nil
    }
  }

  fileprivate func shifted(_ shift: TimeShift, to end: Int) -> Expression {
    switch self {
    case .selector(var node):
      node.shift = shift
      node.place = node.place.lowerBound..<end
      return .selector(node)
    case .range(var node):
      node.selector.shift = shift
      node.place = node.place.lowerBound..<end
      return .range(node)
    case .subquery(var node):
      node.shift = shift
      node.place = node.place.lowerBound..<end
      return .subquery(node)
    default: return self
    }
  }
}
