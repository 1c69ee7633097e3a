/// Compares what a query gave with what a script expects.
struct ScriptComparison {
  private let eval: Script.Eval
  private static let relativeTolerance = 1e-6

  init(_ eval: Script.Eval) { self.eval = eval }

  /// What is wrong with the value, or nil.
  func mismatch(of value: QueryValue) -> String? {
    switch (value, eval.result) {
    case (.scalar(let given), .scalar(let expected)):
      return Self.areEqual(given, expected) ? nil : "expected \(Self.text(expected)), got \(Self.text(given))"
    case (.string(let given), .string(let expected)):
      return given == expected ? nil : "expected \(quoted(expected)), got \(quoted(given))"
    case (.vector(let given), .series(let expected)): return mismatch(of: given, expected)
    case (.matrix(let given), .series(let expected)):
      guard case .range(let start, _, let step) = eval.moment else {
        return "got a range vector; say so with: expect range vector from START to END step STEP"
      }
      return mismatch(of: given, expected, from: start, step: step)
    case (.matrix(let given), .ranges(let start, let step, let expected)):
      return mismatch(of: given, expected, from: start, step: step)
    // A range query shows a scalar as a series without labels.
    case (.matrix, .scalar(let expected)): return "expected the scalar \(Self.text(expected)), got a matrix"
    case (let given, _): return "got \(given.described)"
    }
  }

  /// What is wrong with the annotations, or nil.
  func mismatch(of result: QueryResult, _ query: Query) -> String? {
    for (level, kind, none) in [
      (Annotation.Level.warning, Script.Expectation.Kind.warn, Script.Expectation.Kind.noWarning),
      (.info, .info, .noInfo),
    ] {
      let given = result.annotations.filter { $0.level == level }.map { $0.description(in: query) }
      let expected = eval.expectations.filter { $0.kind == kind }
      if let extra = given.first, eval.expectations.contains(where: { $0.kind == none }) {
        return "unexpected annotation: \(extra)"
      }
      for expectation in expected where !given.contains(where: expectation.accepts) {
        return "expected another \(kind.rawValue) annotation, got \(given)"
      }
      if !expected.isEmpty, let extra = given.first(where: { text in !expected.contains { $0.accepts(text) } }) {
        return "unexpected annotation: \(extra)"
      }
    }
    return nil
  }

  private func mismatch(of given: [VectorSample], _ expected: [SeriesNotation]) -> String? {
    for (index, sample) in given.enumerated() {
      guard let place = expected.firstIndex(where: { $0.labels == sample.labels }) else {
        return "unexpected \(sample.labels) \(Self.text(sample.value))"
      }
      if eval.isOrdered, place != index { return "\(sample.labels) is at place \(index + 1), not at \(place + 1)" }
      guard let value = expected[place].values.first ?? nil, Self.areEqual(sample.value, value) else {
        let wanted = (expected[place].values.first ?? nil).map(Self.text) ?? "no value"
        return "\(sample.labels): expected \(wanted), got \(Self.text(sample.value))"
      }
    }
    return missing(expected, given.map(\.labels))
  }

  private func mismatch(
    of given: [Series], _ expected: [SeriesNotation], from start: Int64, step: Int64
  ) -> String? {
    for series in given {
      guard let wanted = expected.first(where: { $0.labels == series.labels }) else {
        return "unexpected \(series.labels)"
      }
      let samples = wanted.samples(stepMilliseconds: step).map {
        Sample(timestampMilliseconds: $0.timestampMilliseconds + start, value: $0.value)
      }
      let isEqual =
        samples.count == series.samples.count
        && zip(samples, series.samples).allSatisfy {
          $0.timestampMilliseconds == $1.timestampMilliseconds && Self.areEqual($0.value, $1.value)
        }
      if !isEqual { return "\(series.labels): expected \(Self.text(samples)), got \(Self.text(series.samples))" }
    }
    return missing(expected, given.map(\.labels))
  }

  private func missing(_ expected: [SeriesNotation], _ given: [Labels]) -> String? {
    let given = Set(given)
    return expected.first { !given.contains($0.labels) && $0.values.contains { $0 != nil } }.map { "missing \($0.labels)" }
  }

  private static func areEqual(_ a: Double, _ b: Double) -> Bool {
    a.isAlmostEqual(to: b, relativeTolerance: relativeTolerance)
  }

  private static func text(_ value: Double) -> String { NumberSyntax.decimal(value) }

  private static func text(_ samples: [Sample]) -> String {
    "[" + samples.prefix(50).map { "\(text($0.value)) @ \(text(Double($0.timestampMilliseconds) / 1000))" }
      .joined(separator: ", ") + "]"
  }
}

extension QueryValue {
  /// In a few words.
  var described: String {
    switch self {
    case .scalar(let value): "the scalar \(NumberSyntax.decimal(value))"
    case .string(let text): "the string \(quoted(text))"
    case .vector(let samples): samples.isEmpty ? "an empty vector" : "a vector of \(samples.count), first \(samples[0].labels)"
    case .matrix(let series): series.isEmpty ? "an empty matrix" : "a matrix of \(series.count), first \(series[0].labels)"
    }
  }
}
