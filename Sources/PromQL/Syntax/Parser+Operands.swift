extension Parser {
  /// A number, a string, a selector, a call, an aggregation or something in parentheses.
  mutating func operand() throws(QuerySyntaxError) -> Expression {
    let token = current
    switch token.kind {
    case .number(let value):
      take()
      return .number(.init(value: value, isDuration: false, place: token.range))
    case .duration(let milliseconds):
      guard dialect.hasWideSyntax else {
        throw error("the duration \(token.text) cannot be used as a number in dialect \(dialect.rawValue)")
      }
      take()
      return .number(.init(value: Double(milliseconds) / 1000, isDuration: true, place: token.range))
    case .string(let value):
      take()
      return .string(.init(value: value, place: token.range))
    case .symbol(.leftParenthesis):
      take()
      let inner = try expression()
      try expect(.rightParenthesis, in: "parentheses")
      return .parentheses(.init(expression: inner, place: token.range.lowerBound..<lastEnd))
    case .symbol(.leftBrace): return try .selector(selector(named: nil))
    case .identifier: return try named(token)
    default: throw unexpected()
    }
  }

  /// What starts with a word.
  private mutating func named(_ token: Token) throws(QuerySyntaxError) -> Expression {
    let word = token.text.lowercased()
    if word == "inf" || word == "nan" {
      take()
      return .number(.init(value: word == "inf" ? .infinity : .nan, isDuration: false, place: token.range))
    }
    let isFollowedByGroup = Keyword(following) == .by || Keyword(following) == .without
    let isCall = following.kind == .symbol(.leftParenthesis)
    if isCall || isFollowedByGroup {
      if let aggregator = Aggregator(rawValue: word) { return try aggregation(aggregator) }
      if Keyword.refusedAggregators.contains(word) {
        throw unsupported("\(word) is experimental in Prometheus and not supported here")
      }
    }
    if isCall, !token.text.contains(":") { return try call(token) }
    if Keyword.reserved.contains(word) { throw unexpected() }
    take()
    return try .selector(selector(named: token))
  }

  private mutating func call(_ token: Token) throws(QuerySyntaxError) -> Expression {
    let function: Function
    switch FunctionTable.lookUp(token.text, dialect: dialect) {
    case .success(let found): function = found
    case .failure(let reason):
      throw reason.isUnsupported
        ? unsupported(reason.message, at: token.range) : error(reason.message, at: token.range)
    }
    take()
    let arguments = try argumentList()
    let place = token.range.lowerBound..<lastEnd
    let counts = function.argumentCounts
    guard counts.contains(arguments.count) else {
      let expected =
        counts.count == 1 ? "\(counts.lowerBound)"
        : arguments.count < counts.lowerBound ? "at least \(counts.lowerBound)" : "at most \(counts.upperBound)"
      throw error(
        "\(function.name) takes \(expected) argument\(expected.hasSuffix(" 1") || expected == "1" ? "" : "s"), "
          + "got \(arguments.count)", at: place)
    }
    return .call(.init(function: function, arguments: arguments, place: place))
  }

  private mutating func aggregation(_ aggregator: Aggregator) throws(QuerySyntaxError) -> Expression {
    let start = take().range.lowerBound
    var grouping = try groupingClause()
    let arguments = try argumentList()
    if grouping == nil { grouping = try groupingClause() }
    let place = start..<lastEnd
    let expected = aggregator.parameter == nil ? 1 : 2
    guard arguments.count == expected else {
      throw error(
        "\(aggregator.rawValue) takes \(expected) argument\(expected == 1 ? "" : "s"), got \(arguments.count)", at: place)
    }
    return .aggregation(
      .init(
        aggregator: aggregator, parameter: expected == 2 ? arguments[0] : nil, expression: arguments[expected - 1],
        grouping: grouping?.names ?? [], isWithout: grouping?.isWithout ?? false, place: place))
  }

  private mutating func groupingClause() throws(QuerySyntaxError) -> (names: [String], isWithout: Bool)? {
    let isWithout = Keyword(current) == .without
    guard isWithout || Keyword(current) == .by else { return nil }
    take()
    return (try labelNames(), isWithout)
  }

  private mutating func argumentList() throws(QuerySyntaxError) -> [Expression] {
    try expect(.leftParenthesis, in: "the call")
    var arguments: [Expression] = []
    if take(.rightParenthesis) { return arguments }
    while true {
      arguments.append(try expression())
      if take(.rightParenthesis) { return arguments }
      try expect(.comma, in: "the arguments")
      if current.kind == .symbol(.rightParenthesis) {
        throw error("trailing commas are not allowed in arguments")
      }
    }
  }

  /// `(a, b)`; keywords are names here, and a trailing comma is allowed.
  mutating func labelNames() throws(QuerySyntaxError) -> [String] {
    try expect(.leftParenthesis, in: "the list of labels")
    var names: [String] = []
    while !take(.rightParenthesis) {
      switch current.kind {
      case .identifier where LabelNameSyntax.isPlainLabelName(current.text): names.append(take().text)
      case .string(let name) where dialect.hasWideSyntax && !name.isEmpty:
        take()
        names.append(name)
      default: throw unexpected(in: "the list of labels", expected: "a label name")
      }
      if take(.rightParenthesis) { break }
      try expect(.comma, in: "the list of labels")
    }
    return names
  }
}
