import Alerting
import PromQL
import Runtime

/// Which series and labels there are.
struct SeriesAnswers: Sendable {
  let store: SeriesStore

  /// The label sets of the series that any `match[]` selects.
  func series(_ parameters: APIParameters, _ answer: inout APIAnswer) throws {
    let limit = try parameters.limit()
    guard !parameters.texts("match[]").isEmpty else { throw APIError(.badData, "no match[] parameter provided") }
    let times = try times(parameters)
    let found = store.series(matching: try parameters.selectors(), within: times)
    let shown = answer.limited(found, to: limit)
    try answer.data.list(shown, within: answer.limit) { $0.labels($1) }
  }

  func labelNames(_ parameters: APIParameters, _ answer: inout APIAnswer) throws {
    let limit = try parameters.limit()
    let times = try times(parameters)
    let names = store.labelNames(matching: try parameters.selectors(), within: times)
    answer.data.strings(answer.limited(names, to: limit))
  }

  /// `label/<name>/values`
  func labelValues(_ parameters: APIParameters, _ answer: inout APIAnswer) throws {
    guard parameters.rest.hasSuffix("/values") else {
      throw APIError(
        .notFound,
        "there is no \(HTTPAPI.prefix)label/\(parameters.rest.prefix(200)) here; "
          + "the values of a label are at \(HTTPAPI.prefix)label/<name>/values")
    }
    let name = EscapedName.decoded(String(parameters.rest.dropLast("/values".count)))
    guard !name.isEmpty, parameters.settings.dialect == .prometheus3 || name.isPlainLabelName else {
      throw APIError(.badData, "invalid label name: \(parameters.shown(name))")
    }
    let limit = try parameters.limit()
    let times = try times(parameters)
    let values = store.labelValues(of: name, matching: try parameters.selectors(), within: times)
    answer.data.strings(answer.limited(values, to: limit))
  }

  /// The time in which series must have samples.
  private func times(_ parameters: APIParameters) throws(APIError) -> ClosedRange<Int64> {
    let start = try parameters.time("start", otherwise: .min)
    let end = try parameters.time("end", otherwise: .max)
    guard end >= start else { throw .invalid("end", "end timestamp must not be before start time") }
    return start...end
  }
}

extension String {
  /// `[a-zA-Z_][a-zA-Z0-9_]*`
  fileprivate var isPlainLabelName: Bool {
    guard let first = utf8.first, first > UInt8(ascii: "9") else { return false }
    return utf8.allSatisfy { byte in
      let letter = (byte | 0x20) &- UInt8(ascii: "a")
      return letter < 26 || byte == UInt8(ascii: "_") || byte &- UInt8(ascii: "0") < 10
    }
  }
}
