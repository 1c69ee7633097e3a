import PromQL

/// Which alerting rules read a metric of events, themselves or by what is recorded from it.
enum EventReaders {
  /// - Parameter metrics: full names.
  /// - Returns: the places of those rules, for each group.
  static func places(in groups: [RuleGroup], of metrics: Set<String>) -> [Set<Int>] {
    var names = metrics
    var known = -1
    while names.count != known {
      known = names.count
      for case .recording(let rule) in groups.flatMap(\.rules) where reads(rule.query, anyOf: names) {
        names.insert(rule.name)
      }
    }
    return groups.map { group in
      Set(
        group.rules.indices.filter { index in
          guard case .alerting(let rule) = group.rules[index] else { return false }
          return reads(rule.query, anyOf: names)
        })
    }
  }

  /// Whether a selector of the query names one of these metrics.
  private static func reads(_ query: Query, anyOf names: Set<String>) -> Bool {
    query.reaches().contains { reach in
      reach.matchers.contains { matcher in
        matcher.name == Labels.metricName && names.contains { matcher.matches(value: $0) }
      }
    }
  }
}
