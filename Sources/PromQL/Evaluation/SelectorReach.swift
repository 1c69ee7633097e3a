/// How far back one selector of a query reads.
public struct SelectorReach: Sendable, Equatable {
  public let matchers: [LabelMatcher]
  /// Before the first evaluation, at least 0, or less behind `@ end()`; nil for a time that `@` names, which any history may be too short for.
  public let milliseconds: Int64?
  /// What is read at the earliest, in milliseconds since the epoch, where `@` names the time; nil elsewhere.
  public let namedMilliseconds: Int64?
}

/// The earliest time that an expression is evaluated at.
private enum Earliest {
  /// So many milliseconds before the query's own time.
  case behind(Int64)
  case named(Int64)

  func earlier(byMilliseconds distance: Int64) -> Earliest {
    switch self {
    case .behind(let own): .behind(own + distance)
    case .named(let time): .named(time - distance)
    }
  }
}

extension Query {
  /// What the query reads, a selector at a time: the history that it needs.
  ///
  /// - Parameter span: from the first evaluation to the end that was asked for; 0 for one moment.
  public func reaches(
    spanMilliseconds span: Int64 = 0, options: QueryOptions = QueryOptions()
  ) -> [SelectorReach] {
    expression.reaches(.behind(0), span, options)
  }
}

extension Expression {
  /// - Parameter earliest: when the expression is evaluated first.
  fileprivate func reaches(_ earliest: Earliest, _ span: Int64, _ options: QueryOptions) -> [SelectorReach] {
    switch self {
    case .selector(let node):
      return [node.reach(earliest, span, node.shift, options.lookbackMilliseconds)]
    case .range(let node):
      return [node.selector.reach(earliest, span, node.selector.shift, node.rangeMilliseconds)]
    case .subquery(let node):
      return node.expression.reaches(node.shift.earliest(earliest, span, node.rangeMilliseconds), span, options)
    default: return children.flatMap { $0.reaches(earliest, span, options) }
    }
  }
}

extension Expression.Selector {
  fileprivate func reach(
    _ earliest: Earliest, _ span: Int64, _ shift: TimeShift, _ range: Int64
  ) -> SelectorReach {
    switch shift.earliest(earliest, span, range) {
    case .behind(let distance):
      SelectorReach(matchers: matchers, milliseconds: max(-span, distance), namedMilliseconds: nil)
    case .named(let time): SelectorReach(matchers: matchers, milliseconds: nil, namedMilliseconds: time)
    }
  }
}

extension TimeShift {
  /// The start of a range behind this shift. `start()` and `end()` are the query's own times, whatever is around them.
  fileprivate func earliest(_ outer: Earliest, _ span: Int64, _ range: Int64) -> Earliest {
    switch anchor {
    case .milliseconds(let time): .named(time - range - offsetMilliseconds)
    case .start: .behind(range + offsetMilliseconds)
    case .end: .behind(range + offsetMilliseconds - span)
    case nil: outer.earlier(byMilliseconds: range + offsetMilliseconds)
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
