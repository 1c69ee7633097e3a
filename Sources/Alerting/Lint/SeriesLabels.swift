import PromQL

/// Which labels the series of an expression have, as far as that is certain.
struct SeriesLabels {
  /// Those that every series has.
  private var certain: Set<String> = []
  /// Those that a series may have.
  private var possible: Set<String> = []
  /// The labels of the target are there too, but for those that are taken away.
  private var ofTarget: Set<String>?

  /// Every target has these, whatever else Prometheus or the configuration adds.
  private static let ofEveryTarget: Set<String> = ["job", "instance"]

  /// Nil where nothing can be said.
  func has(_ label: String) -> Bool? {
    if certain.contains(label) { return true }
    if possible.contains(label) { return nil }
    guard let ofTarget, ofTarget.contains(label) else { return false }
    return Self.ofEveryTarget.contains(label) ? true : nil
  }

  private var known: Set<String> { certain.union(possible).union(ofTarget ?? []) }

  /// The labels that one side has and the other never, of those that a match compares.
  static func differences(_ left: SeriesLabels, _ right: SeriesLabels, _ matching: VectorMatching) -> [String] {
    let compared =
      matching.isOn ? Set(matching.labels) : left.known.union(right.known).subtracting(matching.labels)
    return compared.filter { label in
      guard let a = left.has(label), let b = right.has(label) else { return false }
      return a != b
    }.sorted()
  }

  /// The labels that both sides have.
  static func common(_ left: SeriesLabels, _ right: SeriesLabels) -> [String] {
    left.known.filter { left.has($0) == true && right.has($0) == true }.sorted()
  }

  /// Nil for what is not known well enough: metrics that are not in the catalogue, labels set by functions.
  static func of(_ expression: Expression, in catalogue: MetricCatalogue) -> SeriesLabels? {
    switch expression {
    case .number, .string: nil
    case .parentheses(let node): of(node.expression, in: catalogue)
    case .unary(let node): of(node.expression, in: catalogue)
    case .subquery(let node): of(node.expression, in: catalogue)
    case .range(let node): of(node.selector, catalogue)
    case .selector(let node): of(node, catalogue)
    case .call(let node): of(node, catalogue)
    case .aggregation(let node): of(node, catalogue)
    case .binary(let node): of(node, catalogue)
    }
  }

  private static func of(_ selector: Expression.Selector, _ catalogue: MetricCatalogue) -> SeriesLabels? {
    guard let metric = selector.name.flatMap(catalogue.metric) else { return nil }
    // A condition that the empty value meets may be there to select series without the label.
    let maybe = Set(selector.matchers.filter(\.matchesEmpty).map(\.name))
    var labels = SeriesLabels()
    labels.certain = metric.labels.subtracting(maybe)
    labels.possible = metric.labels.intersection(maybe)
    labels.ofTarget = catalogue.targetLabels.union(ofEveryTarget)
    return labels
  }

  private static func of(_ call: Expression.Call, _ catalogue: MetricCatalogue) -> SeriesLabels? {
    switch call.function.name {
    case "label_replace", "label_join", "absent", "absent_over_time": return nil
    default: break
    }
    guard call.function.result == .vector else { return nil }
    // vector(1), hour() and the like have no labels.
    guard let series = call.arguments.last(where: { $0.type == .vector || $0.type == .matrix }) else {
      return SeriesLabels()
    }
    var labels = of(series, in: catalogue)
    if call.function.name.hasPrefix("histogram_") { labels?.remove("le") }
    return labels
  }

  private static func of(_ node: Expression.Aggregation, _ catalogue: MetricCatalogue) -> SeriesLabels? {
    if node.aggregator == .countValues { return nil }
    let keepsAll = node.aggregator == .topk || node.aggregator == .bottomk
    guard var labels = of(node.expression, in: catalogue) else {
      // Whatever is in it, no others come out.
      guard !node.isWithout, !keepsAll else { return nil }
      var labels = SeriesLabels()
      labels.possible = Set(node.grouping)
      return labels
    }
    if keepsAll { return labels }
    if node.isWithout { for label in node.grouping { labels.remove(label) } } else { labels.keep(node.grouping) }
    return labels
  }

  private static func of(_ node: Expression.Binary, _ catalogue: MetricCatalogue) -> SeriesLabels? {
    guard let matching = node.matching else {
      return of(node.left.type == .scalar ? node.right : node.left, in: catalogue)
    }
    guard node.operation != .or,
      var labels = of(matching.cardinality == .oneToMany ? node.right : node.left, in: catalogue)
    else { return nil }
    switch matching.cardinality {
    case .oneToOne:
      if matching.isOn { labels.keep(matching.labels) } else { for label in matching.labels { labels.remove(label) } }
    case .manyToOne, .oneToMany:
      for label in matching.included where labels.has(label) != true { labels.possible.insert(label) }
    case .manyToMany: break
    }
    return labels
  }

  private mutating func remove(_ label: String) {
    certain.remove(label)
    possible.remove(label)
    ofTarget?.remove(label)
  }

  private mutating func keep(_ labels: [String]) {
    let kept = Set(labels)
    let sure = kept.filter { has($0) == true }
    possible = kept.filter { has($0) == nil }
    certain = sure
    ofTarget = nil
  }
}
