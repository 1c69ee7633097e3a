import Alerting
import PromQL
import Runtime

/// Queries taken apart.
enum SyntaxAnswers {
  /// The query as a tree, with the keys that Prometheus gives its nodes.
  static func parseQuery(_ parameters: APIParameters, _ answer: inout APIAnswer) throws {
    write(try parameters.query().expression, to: &answer.data)
    try answer.limit.check(answer.data)
  }

  private static func write(_ expression: Expression, to json: inout JSONWriter) {
    json.object { json in
      json.key("type")
      switch expression {
      case .number(let node):
        json.string("numberLiteral")
        json.field("val", GoNumber.format(node.value, .fixed, precision: nil))
      case .string(let node):
        json.string("stringLiteral")
        json.field("val", node.value)
      case .selector(let node):
        json.string("vectorSelector")
        json.selector(node)
      case .range(let node):
        json.string("matrixSelector")
        json.selector(node.selector)
        json.field("range", node.rangeMilliseconds)
      case .subquery(let node):
        json.string("subquery")
        child("expr", node.expression, &json)
        json.field("range", node.rangeMilliseconds)
        json.field("step", node.stepMilliseconds ?? 0)
        json.shift(node.shift)
      case .call(let node):
        json.string("call")
        json.function(node.function)
        json.key("args")
        json.array { json in for argument in node.arguments { write(argument, to: &json) } }
      case .aggregation(let node):
        json.string("aggregation")
        json.field("op", node.aggregator.rawValue)
        child("expr", node.expression, &json)
        child("param", node.parameter, &json)
        json.key("grouping")
        json.strings(node.grouping)
        json.field("without", node.isWithout)
      case .binary(let node):
        json.string("binaryExpr")
        json.field("op", node.operation.rawValue)
        child("lhs", node.left, &json)
        child("rhs", node.right, &json)
        json.matching(node.matching)
        json.field("bool", node.returnsBool)
      case .unary(let node):
        json.string("unaryExpr")
        json.field("op", node.isMinus ? "-" : "+")
        child("expr", node.expression, &json)
      case .parentheses(let node):
        json.string("parenExpr")
        child("expr", node.expression, &json)
      }
    }
  }

  private static func child(_ name: String, _ expression: Expression?, _ json: inout JSONWriter) {
    json.key(name)
    if let expression { write(expression, to: &json) } else { json.null() }
  }
}

extension JSONWriter {
  fileprivate mutating func selector(_ node: Expression.Selector) {
    field("name", node.metricName ?? "")
    key("matchers")
    array { json in
      for matcher in node.matchers {
        json.object { json in
          json.field("name", matcher.name)
          json.field("value", matcher.value)
          json.field("type", matcher.comparison.rawValue)
        }
      }
    }
    shift(node.shift)
  }

  fileprivate mutating func shift(_ shift: TimeShift) {
    field("offset", shift.offsetMilliseconds)
    key("timestamp")
    if case .milliseconds(let time) = shift.anchor { integer(Int(time)) } else { null() }
    key("startOrEnd")
    switch shift.anchor {
    case .start: string("start")
    case .end: string("end")
    case .milliseconds, nil: null()
    }
  }

  fileprivate mutating func function(_ function: Function) {
    let counts = function.argumentCounts
    key("func")
    object { json in
      json.field("name", function.name)
      json.key("argTypes")
      json.strings(function.arguments.map(\.shortName))
      json.field("variadic", counts.upperBound > function.arguments.count ? -1 : Int64(counts.count - 1))
      json.field("returnType", function.result.shortName)
    }
  }

  fileprivate mutating func matching(_ matching: VectorMatching?) {
    key("matching")
    guard let matching else { return null() }
    object { json in
      let card =
        switch matching.cardinality {
        case .oneToOne: "one-to-one"
        case .manyToOne: "many-to-one"
        case .oneToMany: "one-to-many"
        case .manyToMany: "many-to-many"
        }
      json.field("card", card)
      json.key("labels")
      json.strings(matching.labels)
      json.field("on", matching.isOn)
      json.key("include")
      json.strings(matching.included)
    }
  }
}

extension ValueType {
  fileprivate var shortName: String {
    switch self {
    case .scalar: "scalar"
    case .vector: "vector"
    case .matrix: "matrix"
    case .string: "string"
    }
  }
}
