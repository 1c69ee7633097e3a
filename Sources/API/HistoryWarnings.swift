import PromQL

/// Tells what a query reads further back than samples are kept: its value is then of a part only.
struct HistoryWarnings {
  let options: QueryOptions
  let heldSince: @Sendable (String) -> Int64?

  /// A poll or two may be missing at the beginning without a word.
  static let toleranceMilliseconds: Int64 = 30_000

  /// - Parameters:
  ///   - start: the first moment at which the query is evaluated.
  ///   - end: the end that was asked for.
  func warn(
    of query: Query, fromMilliseconds start: Int64, throughMilliseconds end: Int64, in answer: inout APIAnswer
  ) {
    // What a selector without a range looks back over is there to bridge gaps: at its beginning one sample is enough.
    var options = options
    options.lookbackMilliseconds = 0
    for reach in query.reaches(spanMilliseconds: end - start, options: options) {
      let earliest = reach.namedMilliseconds ?? start - (reach.milliseconds ?? 0)
      for name in Self.names(reach.matchers) {
        guard let held = heldSince(name), earliest < held - Self.toleranceMilliseconds else { continue }
        let what = name.isEmpty ? "metrics selected by \(Self.text(reach.matchers))" : name
        answer.warn(
          "history of \(what) begins at \(RFC3339.text(milliseconds: held / 1000 * 1000)): the query reads from "
            + "\(RFC3339.text(milliseconds: earliest / 1000 * 1000)) on, and before that samples are "
            + "missing or few; history.retention in the configuration keeps more")
      }
    }
  }

  /// The metrics that may be meant; an empty name when they are not known.
  private static func names(_ matchers: [LabelMatcher]) -> [String] {
    let ofName = matchers.filter { $0.name == Labels.metricName }
    if let exact = ofName.first(where: { $0.comparison == .equal && !$0.value.isEmpty }) { return [exact.value] }
    return ofName.lazy.compactMap(\.literals).first ?? [""]
  }

  private static func text(_ matchers: [LabelMatcher]) -> String {
    String("{\(matchers.map(\.description).joined(separator: ","))}".prefix(200))
  }
}
