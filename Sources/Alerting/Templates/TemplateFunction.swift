/// A function that templates may call.
struct TemplateFunction: Sendable {
  typealias Body = @Sendable ([TemplateValue], TemplateRun) throws -> TemplateValue

  let parameters: [TemplateType]
  /// What the arguments after the parameters are; nil takes none.
  let rest: TemplateType?
  /// For `and` and `or`: the truth value at which the arguments after it are not looked at.
  let stopsAt: Bool?
  let body: Body

  init(_ parameters: [TemplateType], rest: TemplateType? = nil, stopsAt: Bool? = nil, _ body: @escaping Body) {
    self.parameters = parameters
    self.rest = rest
    self.stopsAt = stopsAt
    self.body = body
  }

  /// What is wrong with a number of arguments; `written` is without the one that a pipe hands on.
  func problem(withArgumentCount count: Int, written: Int) -> String? {
    if rest != nil { return count < parameters.count ? "want at least \(parameters.count) got \(written)" : nil }
    return count == parameters.count ? nil : "want \(parameters.count) got \(count)"
  }

  func types(count: Int) -> [TemplateType] {
    parameters + [TemplateType](repeating: rest ?? .any, count: count - parameters.count)
  }

  /// Every function by name: those of Prometheus and those of Go.
  static let all: [String: TemplateFunction] = samples.merging(numbers) { $1 }.merging(texts) { $1 }
    .merging(builtins) { $1 }
}

/// What a function says when it cannot do its work.
struct TemplateFunctionError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

extension [TemplateValue] {
  /// The text at an index that is known to hold one.
  func text(_ index: Int) -> String { if case .string(let text) = self[index] { text } else { "" } }
}

extension TemplateFunction {
  /// Functions over query results.
  static let samples: [String: TemplateFunction] = [
    "query": TemplateFunction([.string]) { .samples(try $1.context.query($0.text(0))) },
    "first": TemplateFunction([.samples]) { values, _ in
      guard case .samples(let samples) = values[0], let first = samples.first else {
        throw TemplateFunctionError("first() called on vector with no elements")
      }
      return .sample(first)
    },
    "label": TemplateFunction([.string, .sample]) { .string(sample($0[1])?.labels[$0.text(0)] ?? "") },
    "value": TemplateFunction([.sample]) { sample($0[0]).map { .float($0.value) } ?? .none },
    "strvalue": TemplateFunction([.sample]) { .string(sample($0[0])?.labels["__value__"] ?? "") },
    "sortByLabel": TemplateFunction([.string, .samples]) { values, _ in
      guard case .samples(let samples) = values[1] else { return values[1] }
      let name = values.text(0)
      let keys = samples.map { Array(($0.labels[name] ?? "").utf8) }
      let order = samples.indices.sorted {
        keys[$0] == keys[$1] ? $0 < $1 : keys[$0].lexicographicallyPrecedes(keys[$1])
      }
      return .samples(order.map { samples[$0] })
    },
    "args": TemplateFunction([], rest: .any) { values, _ in
      .map(Dictionary(uniqueKeysWithValues: values.enumerated().map { ("arg\($0.offset)", $0.element) }))
    },
  ]

  private static func sample(_ value: TemplateValue) -> TemplateSample? {
    if case .sample(let sample) = value { sample } else { nil }
  }
}

extension TemplateFunction {
  fileprivate init(_ parameters: [TemplateType], _ body: @escaping @Sendable ([TemplateValue]) throws -> TemplateValue)
  {
    self.init(parameters, rest: nil, stopsAt: nil) { values, _ in try body(values) }
  }
}
