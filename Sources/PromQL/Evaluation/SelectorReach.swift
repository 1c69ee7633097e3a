/// How far back one selector of a query reads.
public struct SelectorReach: Sendable, Equatable {
  public let matchers: [LabelMatcher]
  /// From the time of the evaluation, at least 0; nil for a time that `@` names, which any history may be too short for.
  public let milliseconds: Int64?
}

extension Query {
  /// What the query reads when it is evaluated at one moment, a selector at a time: the history that it needs.
  public func reaches(options: QueryOptions = QueryOptions()) -> [SelectorReach] {
    expression.reaches(behind: 0, options)
  }
}

extension Expression {
  /// - Parameter distance: how long before the query's time the expression is evaluated at the earliest, nil for a
  ///   named time.
  fileprivate func reaches(behind distance: Int64?, _ options: QueryOptions) -> [SelectorReach] {
    switch self {
    case .selector(let node):
      return [node.reach(behind: distance, node.shift, options.lookbackMilliseconds)]
    case .range(let node):
      return [node.selector.reach(behind: distance, node.selector.shift, node.rangeMilliseconds)]
    case .subquery(let node):
      return node.expression.reaches(behind: node.shift.distance(behind: distance, node.rangeMilliseconds), options)
    default: return children.flatMap { $0.reaches(behind: distance, options) }
    }
  }
}

extension Expression.Selector {
  fileprivate func reach(behind distance: Int64?, _ shift: TimeShift, _ range: Int64) -> SelectorReach {
    SelectorReach(matchers: matchers, milliseconds: shift.distance(behind: distance, range).map { max(0, $0) })
  }
}

extension TimeShift {
  /// The start of a range behind this shift. `start()` and `end()` are the query's own time, whatever is around them.
  fileprivate func distance(behind outer: Int64?, _ range: Int64) -> Int64? {
    switch anchor {
    case .milliseconds: nil
    case .start, .end: range + offsetMilliseconds
    case nil: outer.map { $0 + range + offsetMilliseconds }
    }
  }
}

extension HistoryPolicy {
  /// Keeps what the query reads, and `spareMilliseconds` more for samples that come late.
  public mutating func keep(
    _ query: Query, spareMilliseconds: Int64 = 120_000, options: QueryOptions = QueryOptions()
  ) {
    for reach in query.reaches(options: options) {
      guard let milliseconds = reach.milliseconds else { continue }
      keep(selectedBy: reach.matchers, forMilliseconds: milliseconds + spareMilliseconds)
    }
  }
}
