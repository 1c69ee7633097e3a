/// Reads a query into a tree: operator precedence for what stands between operands, descent for the operands.
struct Parser {
  /// What a query may be.
  enum Limits {
    /// Operators and brackets inside one another.
    static let depth = 250
    static let textBytes = 256 << 10
  }

  let text: String
  let dialect: Dialect
  private let origin: QueryOrigin
  private let tokens: [Token]
  private var index = 0
  private var depth = 0

  /// The tree, checked for types; every error names its place.
  static func parse(_ text: String, dialect: Dialect, origin: QueryOrigin) throws(QuerySyntaxError) -> Expression {
    guard text.utf8.count <= Limits.textBytes else {
      throw QuerySyntaxError(
        "the query is longer than \(Limits.textBytes) bytes", at: 0..<0, in: String(text.prefix(80)), origin: origin)
    }
    let tokens = try Lexer.tokens(text, dialect: dialect, origin: origin)
    var parser = Parser(text: text, dialect: dialect, origin: origin, tokens: tokens)
    if parser.current.kind == .end { throw parser.error("the query is empty") }
    let expression = try parser.expression()
    if parser.current.kind != .end { throw parser.unexpected() }
    try TypeCheck(text: text, dialect: dialect, origin: origin).check(expression)
    return expression
  }

  /// The labels of one series, written as `name{label="value"}`.
  static func labels(_ text: String, origin: QueryOrigin) throws(QuerySyntaxError) -> Labels {
    let tokens = try Lexer.tokens(text, dialect: .prometheus3, origin: origin)
    var parser = Parser(text: text, dialect: .prometheus3, origin: origin, tokens: tokens)
    let name = parser.current.kind == .identifier ? parser.take() : nil
    let selector = try parser.selector(named: name, mayBeEmpty: true)
    if parser.current.kind != .end { throw parser.unexpected(in: "the labels of a series") }
    if let matcher = selector.matchers.first(where: { $0.comparison != .equal }) {
      throw parser.error("the labels of a series are given with =, not with \(matcher.comparison.rawValue)")
    }
    return Labels(selector.matchers.map { Labels.Pair($0.name, $0.value) })
  }

  private init(text: String, dialect: Dialect, origin: QueryOrigin, tokens: [Token]) {
    self.text = text
    self.dialect = dialect
    self.origin = origin
    self.tokens = tokens
  }

  // MARK: Tokens

  var current: Token { tokens[index] }
  var following: Token { tokens[min(index + 1, tokens.count - 1)] }
  /// The end of the last token taken.
  var lastEnd: Int { index > 0 ? tokens[index - 1].range.upperBound : 0 }

  @discardableResult mutating func take() -> Token {
    defer { if index + 1 < tokens.count { index += 1 } }
    return tokens[index]
  }

  /// Takes the symbol if it comes next.
  mutating func take(_ symbol: Token.Symbol) -> Bool {
    guard current.kind == .symbol(symbol) else { return false }
    take()
    return true
  }

  mutating func take(_ keyword: Keyword) -> Bool {
    guard Keyword(current) == keyword else { return false }
    take()
    return true
  }

  mutating func expect(_ symbol: Token.Symbol, in context: String) throws(QuerySyntaxError) {
    guard take(symbol) else { throw unexpected(in: context, expected: quoted(symbol.rawValue)) }
  }

  func unexpected(in context: String? = nil, expected: String? = nil) -> QuerySyntaxError {
    error(
      "unexpected \(current.described)" + (context.map { " in \($0)" } ?? "")
        + (expected.map { ", expected \($0)" } ?? ""))
  }

  func error(_ message: String, at range: SourceRange? = nil) -> QuerySyntaxError {
    QuerySyntaxError(message, at: range ?? current.range, in: text, origin: origin)
  }

  /// For what Prometheus has, but not by default or not for floats.
  func unsupported(_ message: String, at range: SourceRange? = nil) -> QuerySyntaxError {
    QuerySyntaxError(message, at: range ?? current.range, in: text, origin: origin, isUnsupported: true)
  }

  // MARK: Expressions

  /// All that binds at least as tightly as `precedence`.
  mutating func expression(precedence: Int = 1) throws(QuerySyntaxError) -> Expression {
    depth += 1
    let outerDepth = depth
    defer { depth = outerDepth - 1 }
    try checkDepth()
    var left = try signed()
    while let operation = BinaryOperator(current), operation.precedence >= precedence {
      // Each operator of a chain makes the tree one deeper on its left.
      depth += 1
      try checkDepth()
      left = try binary(operation, after: left)
    }
    return left
  }

  private func checkDepth() throws(QuerySyntaxError) {
    if depth > Limits.depth { throw error("the query nests deeper than \(Limits.depth)") }
  }

  private mutating func signed() throws(QuerySyntaxError) -> Expression {
    let start = current.range.lowerBound
    let isMinus = current.kind == .symbol(.minus)
    guard isMinus || current.kind == .symbol(.plus) else { return try modified(operand()) }
    take()
    let operand = try expression(precedence: BinaryOperator.signPrecedence + 1)
    let place = start..<lastEnd
    if case .number(let number) = operand {
      let value = isMinus ? -number.value : number.value
      return .number(.init(value: value, isDuration: number.isDuration, place: place))
    }
    return .unary(.init(isMinus: isMinus, expression: operand, place: place))
  }

  private mutating func binary(_ operation: BinaryOperator, after left: Expression) throws(QuerySyntaxError)
    -> Expression
  {
    let operatorPlace = take().range
    let (returnsBool, matching) = try matching(of: operation)
    let tighter = operation.isRightAssociative ? 0 : 1
    let right = try expression(precedence: operation.precedence + tighter)
    let isBetweenVectors = left.type == .vector && right.type == .vector
    if !isBetweenVectors, let matching, !matching.labels.isEmpty {
      throw error("vector matching is only allowed between instant vectors", at: operatorPlace)
    }
    return .binary(
      .init(
        operation: operation, left: left, right: right, returnsBool: returnsBool,
        matching: isBetweenVectors ? matching ?? Self.defaultMatching(of: operation) : nil,
        operatorPlace: operatorPlace))
  }

  private static func defaultMatching(of operation: BinaryOperator) -> VectorMatching {
    VectorMatching(cardinality: operation.isSetOperator ? .manyToMany : .oneToOne)
  }

  /// `bool`, `on`, `ignoring`, `group_left` and `group_right` behind an operator; the second is nil when none is there.
  private mutating func matching(
    of operation: BinaryOperator
  ) throws(QuerySyntaxError) -> (returnsBool: Bool, VectorMatching?) {
    var returnsBool = false
    if Keyword(current) == .bool {
      guard operation.isComparison else { throw error("bool is only allowed behind a comparison operator") }
      take()
      returnsBool = true
    }
    try refuseFill()
    guard Keyword(current) == .on || Keyword(current) == .ignoring else { return (returnsBool, nil) }
    var matching = Self.defaultMatching(of: operation)
    matching.isOn = Keyword(take()) == .on
    matching.labels = try labelNames()
    try refuseFill()
    let grouping = current
    guard Keyword(grouping) == .groupLeft || Keyword(grouping) == .groupRight else { return (returnsBool, matching) }
    take()
    if operation.isSetOperator { throw error("no grouping is allowed for \(operation.rawValue)", at: grouping.range) }
    matching.cardinality = Keyword(grouping) == .groupLeft ? .manyToOne : .oneToMany
    try refuseFill()
    if current.kind == .symbol(.leftParenthesis) { matching.included = try labelNames() }
    try refuseFill()
    if matching.isOn, let twice = matching.labels.first(where: matching.included.contains) {
      throw error("the label \(quoted(twice)) must not be in on() and \(grouping.text)() at once", at: grouping.range)
    }
    return (returnsBool, matching)
  }

  private func refuseFill() throws(QuerySyntaxError) {
    if Keyword.refusedMatchings.contains(current.text.lowercased()), following.kind == .symbol(.leftParenthesis) {
      throw unsupported("\(current.text) is experimental in Prometheus and not supported here")
    }
  }
}

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
        counts.count == 1
        ? "\(counts.lowerBound)"
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
        "\(aggregator.rawValue) takes \(expected) argument\(expected == 1 ? "" : "s"), got \(arguments.count)",
        at: place)
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
