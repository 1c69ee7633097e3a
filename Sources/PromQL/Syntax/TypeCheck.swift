/// Checks that every operand is of the type that its place asks for.
struct TypeCheck {
  let text: String
  let dialect: Dialect
  let origin: QueryOrigin

  func check(_ expression: Expression) throws(QuerySyntaxError) {
    for child in expression.children { try check(child) }
    switch expression {
    case .call(let call):
      for (argument, index) in zip(call.arguments, call.arguments.indices) {
        try expect(call.function.type(ofArgument: index), argument, in: "the call of \(call.function.name)")
      }
    case .aggregation(let aggregation):
      if let type = aggregation.aggregator.parameter, let parameter = aggregation.parameter {
        try expect(type, parameter, in: "the parameter of \(aggregation.aggregator.rawValue)")
      }
      try expect(.vector, aggregation.expression, in: aggregation.aggregator.rawValue)
    case .binary(let binary): try check(binary)
    case .unary(let unary): try expectOperand(unary.expression, of: unary.isMinus ? "-" : "+")
    case .number, .string, .selector, .range, .subquery, .parentheses: break
    }
  }

  private func check(_ binary: Expression.Binary) throws(QuerySyntaxError) {
    try expectOperand(binary.left, of: binary.operation.rawValue)
    try expectOperand(binary.right, of: binary.operation.rawValue)
    let hasScalar = binary.left.type == .scalar || binary.right.type == .scalar
    if binary.operation.isSetOperator, hasScalar {
      throw error("\(binary.operation.rawValue) is only allowed between instant vectors", at: binary.operatorPlace)
    }
    if binary.operation.isComparison, !binary.returnsBool, binary.left.type == .scalar, binary.right.type == .scalar {
      throw error("a comparison between scalars must use bool", at: binary.operatorPlace)
    }
  }

  private func expectOperand(_ operand: Expression, of name: String) throws(QuerySyntaxError) {
    guard operand.type == .scalar || operand.type == .vector else {
      throw error(
        "\(name) is only allowed on scalars and instant vectors, not on a \(operand.type.rawValue)", at: operand.place)
    }
  }

  private func expect(_ type: ValueType, _ argument: Expression, in context: String) throws(QuerySyntaxError) {
    guard argument.type == type else {
      throw error("\(context) needs a \(type.rawValue), got a \(argument.type.rawValue)", at: argument.place)
    }
  }

  private func error(_ message: String, at range: SourceRange) -> QuerySyntaxError {
    QuerySyntaxError(message, at: range, in: text, origin: origin)
  }
}
