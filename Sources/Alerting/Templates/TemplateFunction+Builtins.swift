/// The functions that Go's templates have of themselves.
extension TemplateFunction {
  static let builtins: [String: TemplateFunction] = [
    "and": TemplateFunction([.any], rest: .any, stopsAt: false) { values, _ in values[0] },
    "or": TemplateFunction([.any], rest: .any, stopsAt: true) { values, _ in values[0] },
    "not": TemplateFunction([.any]) { values, _ in .bool(!values[0].isTrue) },
    "print": TemplateFunction([], rest: .any) { values, _ in .string(GoFormat.sprint(values)) },
    "println": TemplateFunction([], rest: .any) { values, _ in .string(GoFormat.sprintln(values)) },
    "printf": TemplateFunction([.string], rest: .any) { values, run in
      .string(GoFormat.sprintf(values.text(0), Array(values.dropFirst()), limitBytes: run.limits.outputBytes))
    },
    "html": joined(htmlEscaped),
    "js": joined(scriptEscaped),
    "urlquery": joined(queryEscaped),
    "len": TemplateFunction([.any]) { values, _ in .int(try length(values[0])) },
    "index": TemplateFunction([.any], rest: .any) { values, _ in
      var value = values[0]
      for key in values.dropFirst() { value = try element(of: value, key) }
      return value
    },
    "slice": TemplateFunction([.any], rest: .any) { values, _ in try slice(values) },
    "call": TemplateFunction([.any], rest: .any) { values, _ in
      throw TemplateFunctionError("non-function of type \(values[0].typeName)")
    },
    "eq": TemplateFunction([.any], rest: .any) { values, _ in
      guard values.count > 1 else { throw Comparison.missing }
      for other in values.dropFirst() where try Comparison.isEqual(values[0], other) { return .bool(true) }
      return .bool(false)
    },
    "ne": compare { !(try Comparison.isEqual($0, $1)) },
    "lt": compare { try Comparison.isLess($0, $1) },
    "le": compare { try Comparison.isAtMost($0, $1) },
    // As Go has them: the negation, so that NaN is greater than anything.
    "gt": compare { !(try Comparison.isAtMost($0, $1)) },
    "ge": compare { !(try Comparison.isLess($0, $1)) },
  ]

  private static func compare(
    _ body: @escaping @Sendable (TemplateValue, TemplateValue) throws -> Bool
  ) -> TemplateFunction {
    TemplateFunction([.any, .any]) { values, _ in .bool(try body(values[0], values[1])) }
  }

  private static func joined(_ escape: @escaping @Sendable (String) -> String) -> TemplateFunction {
    TemplateFunction([], rest: .any) { values, _ in .string(escape(GoFormat.sprint(values))) }
  }

  private enum Comparison {
    static let missing = TemplateFunctionError("missing argument for comparison")
    private static let incompatible = TemplateFunctionError("incompatible types for comparison")
    private static let invalid = TemplateFunctionError("invalid type for comparison")

    static func isEqual(_ a: TemplateValue, _ b: TemplateValue) throws(TemplateFunctionError) -> Bool {
      switch (a, b) {
      case (.bool(let a), .bool(let b)): return a == b
      case (.int(let a), .int(let b)): return a == b
      case (.float(let a), .float(let b)): return a == b
      case (.string(let a), .string(let b)): return a.utf8.elementsEqual(b.utf8)
      case (.none, .none): return true
      case (.none, _), (_, .none): return false
      default:
        guard isBasic(a) || isBasic(b) else {
          throw TemplateFunctionError(
            "non-comparable types \(a.plain): \(a.typeName), \(b.typeName): \(b.plain)")
        }
        throw incompatible
      }
    }

    static func isLess(_ a: TemplateValue, _ b: TemplateValue) throws(TemplateFunctionError) -> Bool {
      switch (a, b) {
      case (.int(let a), .int(let b)): return a < b
      case (.float(let a), .float(let b)): return a < b
      case (.string(let a), .string(let b)): return a.utf8.lexicographicallyPrecedes(b.utf8)
      default:
        if !isBasic(a) || !isBasic(b) { throw invalid }
        if case (.bool, .bool) = (a, b) { throw invalid }
        throw incompatible
      }
    }

    static func isAtMost(_ a: TemplateValue, _ b: TemplateValue) throws(TemplateFunctionError) -> Bool {
      if try isLess(a, b) { return true }
      return try isEqual(a, b)
    }

    private static func isBasic(_ value: TemplateValue) -> Bool {
      switch value {
      case .bool, .int, .float, .string: true
      default: false
      }
    }
  }

  private static func length(_ value: TemplateValue) throws(TemplateFunctionError) -> Int {
    switch value {
    case .string(let text): return text.utf8.count
    case .labels(let labels): return labels.count
    case .map(let map): return map.count
    case .samples(let samples): return samples.count
    case .none: throw TemplateFunctionError("len of untyped nil")
    default: throw TemplateFunctionError("len of type \(value.typeName)")
    }
  }

  private static func element(of value: TemplateValue, _ key: TemplateValue) throws(TemplateFunctionError)
    -> TemplateValue
  {
    switch (value, key) {
    case (.labels(let labels), .string(let name)): return .string(labels[name] ?? "")
    case (.map(let map), .string(let name)): return map[name] ?? .none
    case (.labels, _), (.map, _):
      throw TemplateFunctionError("value has type \(key.typeName); should be string")
    case (.samples(let samples), .int(let place)):
      guard samples.indices.contains(place) else { throw TemplateFunctionError("index out of range: \(place)") }
      return .sample(samples[place])
    case (.string(let text), .int(let place)):
      let bytes = Array(text.utf8)
      guard bytes.indices.contains(place) else { throw TemplateFunctionError("index out of range: \(place)") }
      return .int(Int(bytes[place]))
    case (.samples, _), (.string, _):
      throw TemplateFunctionError("cannot index slice/array with type \(key.typeName)")
    case (.none, _): throw TemplateFunctionError("index of untyped nil")
    default: throw TemplateFunctionError("can't index item of type \(value.typeName)")
    }
  }

  private static func slice(_ values: [TemplateValue]) throws(TemplateFunctionError) -> TemplateValue {
    var bounds: [Int] = []
    for value in values.dropFirst() {
      guard case .int(let bound) = value else {
        throw TemplateFunctionError("cannot index slice/array with type \(value.typeName)")
      }
      bounds.append(bound)
    }
    guard bounds.count <= 2 else { throw TemplateFunctionError("cannot 3-index slice a \(values[0].typeName)") }
    let count: Int
    switch values[0] {
    case .string(let text): count = text.utf8.count
    case .samples(let samples): count = samples.count
    case .none: throw TemplateFunctionError("slice of untyped nil")
    default: throw TemplateFunctionError("can't slice item of type \(values[0].typeName)")
    }
    let (start, end) = (bounds.first ?? 0, bounds.count > 1 ? bounds[1] : count)
    for bound in [start, end] where bound < 0 || bound > count {
      throw TemplateFunctionError("index out of range: \(bound)")
    }
    guard start <= end else { throw TemplateFunctionError("invalid slice index: \(start) > \(end)") }
    if case .samples(let samples) = values[0] { return .samples(Array(samples[start..<end])) }
    return .string(String(decoding: Array(values.text(0).utf8)[start..<end], as: UTF8.self))
  }

  private static func htmlEscaped(_ text: String) -> String {
    let names: [Character: String] = [
      "\"": "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;", "\0": "\u{FFFD}",
    ]
    return text.map { names[$0] ?? String($0) }.joined()
  }

  private static func scriptEscaped(_ text: String) -> String {
    let names: [Unicode.Scalar: String] = [
      "\\": "\\\\", "'": "\\'", "\"": "\\\"", "<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "=": "\\u003D",
    ]
    return text.unicodeScalars.map { scalar in
      if let name = names[scalar] { return name }
      if scalar.value < 0x20 || !GoQuote.isPrintable(scalar) {
        return "\\u" + GoQuote.hex(scalar.value, width: 4, uppercase: true)
      }
      return String(scalar)
    }.joined()
  }
}
