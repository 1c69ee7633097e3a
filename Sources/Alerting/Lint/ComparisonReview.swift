import PromQL

/// What is wrong with a part of a rule, before it has a place in a file.
struct RuleRemark {
  let kind: RuleFinding.Kind
  let place: SourceRange
  let problem: String
  let advice: String
}

/// A look at one comparison: whether it can hold, can end, and holds of what is meant.
struct ComparisonReview {
  private let subject: RuleSubject
  private(set) var remarks: [RuleRemark] = []

  init(of node: Expression.Binary, in subject: RuleSubject) {
    self.subject = subject
    lookAtCount(node)
    lookAtLifetime(node)
    lookAtLifetimeRatio(node)
    lookAtBounds(node)
    lookAtReplicas(node)
    lookAtWaiting(node)
  }

  private var catalogue: MetricCatalogue { subject.catalogue }

  private mutating func note(_ kind: RuleFinding.Kind, at place: SourceRange, _ problem: String, _ advice: String) {
    remarks.append(RuleRemark(kind: kind, place: place, problem: problem, advice: advice))
  }

  /// `count(x) < 1`: a count of nothing is no 0 but nothing, so it never holds.
  private mutating func lookAtCount(_ node: Expression.Binary) {
    guard case .aggregation(let count) = node.left.unwrapped, count.aggregator == .count || count.aggregator == .group,
      let limit = node.right.constant, !node.returnsBool
    else { return }
    let wantsZero =
      switch node.operation {
      case .less: limit <= 1
      case .lessOrEqual, .equal: limit < 1
      default: false
      }
    guard wantsZero else { return }
    let counted = subject.text(node.left.place)
    note(
      .countOfNothing, at: node.place,
      "a \(count.aggregator.rawValue) over no series is no series, not 0, so this never holds",
      count.grouping.isEmpty
        ? "write absent(\(subject.text(count.expression.place))), or (\(counted) or vector(0)) \(node.operation.rawValue) \(subject.text(node.right.place))"
        : "take the groups from a metric that is always there: write "
          + "redis_up unless on (\(count.grouping.joined(separator: ", "))) \(subject.text(count.expression.place))")
  }

  /// `evicted_total > 0`: true from the first event until the server restarts.
  private mutating func lookAtLifetime(_ node: Expression.Binary) {
    guard case .selector(let selector) = node.left.unwrapped, let name = selector.name,
      catalogue.metric(name)?.kind == .counter, node.right.constant != nil,
      node.operation == .greater || node.operation == .greaterOrEqual || node.operation == .notEqual
    else { return }
    // Next to a condition on the same counter's movement it is a filter, not a verdict.
    let isFilter = subject.expression.all.contains { other in
      guard case .binary(let around) = other else { return false }
      return !around.operation.isComparison && around.operation != .or
        && (around.left.place.contains(node.left.place.lowerBound)
          || around.right.place.contains(node.left.place.lowerBound))
    }
    guard !isFilter else { return }
    note(
      .lifetimeCounter, at: node.place,
      "\(name) counts since the server started, so once true this stays true",
      "write increase(\(subject.text(selector.place))[5m]) \(node.operation.rawValue) \(subject.text(node.right.place))"
    )
  }

  /// `hits_total / (hits_total + misses_total) < 0.8`: over the server's whole life such a share hardly moves.
  private mutating func lookAtLifetimeRatio(_ node: Expression.Binary) {
    guard case .alerting = subject.rule, node.right.constant != nil || node.left.constant != nil else { return }
    for case .binary(let division) in node.left.all + node.right.all where division.operation == .divide {
      guard areLifetimeCounters(division.left), areLifetimeCounters(division.right) else { continue }
      let name = division.left.selectors.first?.name ?? ""
      note(
        .lifetimeCounter, at: division.place,
        "\(name) counts since the server started, so a share of it hardly moves, however bad the last minutes are",
        "put each counter into rate(…[5m])")
    }
  }

  /// Selectors of counters, all of them without a range.
  private func areLifetimeCounters(_ expression: Expression) -> Bool {
    switch expression {
    case .selector(let selector): selector.name.flatMap(catalogue.metric)?.kind == .counter
    case .range, .subquery, .string: false
    case .number: false
    default:
      !expression.selectors.isEmpty
        && expression.children.filter { !$0.selectors.isEmpty }.allSatisfy(areLifetimeCounters)
    }
  }

  /// `redis_up > 1`, `redis_connected_clients == 0`: outside of what the metric can be.
  private mutating func lookAtBounds(_ node: Expression.Binary) {
    guard !node.returnsBool else { return }
    let (metric, operation, limit): (MetricCatalogue.Metric?, BinaryOperator, Double?) =
      if let constant = node.right.constant {
        (boundedMetric(node.left), node.operation, constant)
      } else {
        (boundedMetric(node.right), node.operation.flipped, node.left.constant)
      }
    guard let metric, let bounds = metric.bounds, let limit else { return }
    let neverHolds =
      switch operation {
      case .greater: bounds.upperBound <= limit
      case .greaterOrEqual: bounds.upperBound < limit
      case .less: bounds.lowerBound >= limit
      case .lessOrEqual: bounds.lowerBound > limit
      case .equal: !bounds.contains(limit)
      case .notEqual: bounds.lowerBound == bounds.upperBound && bounds.lowerBound == limit
      default: false
      }
    guard neverHolds else { return }
    let lowest = GoNumber.plain(bounds.lowerBound)
    let range =
      bounds.lowerBound == bounds.upperBound
      ? "always \(lowest)"
      : bounds.upperBound == .infinity
        ? "never below \(lowest)" : "always from \(lowest) to \(GoNumber.plain(bounds.upperBound))"
    note(
      .neverTrue, at: node.place, "\(metric.name) is \(range), so this never holds",
      bounds.lowerBound == bounds.upperBound
        ? "look at its labels, or at whether it is there at all"
        : "write another limit; a server that is down is redis_up == 0")
  }

  /// The metric whose bounds hold for an expression too.
  private func boundedMetric(_ expression: Expression) -> MetricCatalogue.Metric? {
    switch expression.unwrapped {
    case .selector(let node): return node.name.flatMap(catalogue.metric)
    case .range(let node): return node.selector.name.flatMap(catalogue.metric)
    case .aggregation(let node):
      return [.min, .max, .avg, .topk, .bottomk].contains(node.aggregator) ? boundedMetric(node.expression) : nil
    case .call(let node):
      let keepsBounds = ["min_over_time", "max_over_time", "avg_over_time", "last_over_time"].contains(
        node.function.name)
      return keepsBounds ? node.arguments.first.flatMap(boundedMetric) : nil
    case .binary(let node):
      return node.operation == .and || node.operation == .unless ? boundedMetric(node.left) : nil
    default: return nil
    }
  }

  /// `redis_connected_slaves < 1`: true of every replica too.
  private mutating func lookAtReplicas(_ node: Expression.Binary) {
    guard case .selector(let selector) = node.left.unwrapped, let name = selector.name,
      catalogue.zeroOnReplicas.contains(name), let limit = node.right.constant, !node.returnsBool
    else { return }
    let holdsAtZero =
      switch node.operation {
      case .less: 0 < limit
      case .lessOrEqual: 0 <= limit
      case .equal: limit == 0
      default: false
      }
    let knowsRoles = subject.expression.selectors.contains { other in
      other.name != name && (catalogue.metric(other.name ?? "")?.labels.contains("role") ?? true)
        || other.matchers.contains { $0.name == "role" }
    }
    guard holdsAtZero, !knowsRoles else { return }
    note(
      .alsoOfReplicas, at: node.place, "\(name) is 0 on every replica, so this holds for each of them",
      "write \(subject.text(node.place)) and on (job, instance) redis_instance_role{role=\"master\"} == 1")
  }

  private static let ofChange: Set<String> = ["delta", "idelta", "changes", "resets"]

  /// `delta(x[1m]) < 0` for 5m: one change is in sight for a minute, and the rule waits five.
  private mutating func lookAtWaiting(_ node: Expression.Binary) {
    guard case .alerting(let rule) = subject.rule, node.right.constant == 0, node.operation != .equal,
      case .call(let call) = node.left.unwrapped, Self.ofChange.contains(call.function.name)
    else { return }
    let range: Int64
    switch call.arguments.first?.unwrapped {
    case .range(let argument): range = argument.rangeMilliseconds
    case .subquery(let argument): range = argument.rangeMilliseconds
    default: return
    }
    guard rule.forMilliseconds >= range else { return }
    let (seen, waits) = (RuleDuration.text(milliseconds: range), RuleDuration.text(milliseconds: rule.forMilliseconds))
    note(
      .shorterThanFor, at: node.place,
      "one change is in sight for \(seen), and the rule waits \(waits), so it fires only on what changes all the time",
      "leave out for, or make the range longer than it")
  }
}

extension BinaryOperator {
  /// The one that says the same with the sides exchanged.
  fileprivate var flipped: BinaryOperator {
    switch self {
    case .less: .greater
    case .greater: .less
    case .lessOrEqual: .greaterOrEqual
    case .greaterOrEqual: .lessOrEqual
    default: self
    }
  }
}
