import PromQL

/// A look at one operator or call: whether its sides meet, and whether buckets still have their bounds.
struct JoinReview {
  private let subject: RuleSubject
  private(set) var remarks: [RuleRemark] = []

  init(of node: Expression.Binary, in subject: RuleSubject) {
    self.subject = subject
    lookAtMatch(node)
  }

  init(of call: Expression.Call, in subject: RuleSubject) {
    self.subject = subject
    lookAtBuckets(call)
  }

  private mutating func note(_ kind: RuleFinding.Kind, at place: SourceRange, _ problem: String, _ advice: String) {
    remarks.append(RuleRemark(kind: kind, place: place, problem: problem, advice: advice))
  }

  private mutating func lookAtMatch(_ node: Expression.Binary) {
    guard let matching = node.matching, node.operation != .or,
      let left = SeriesLabels.of(node.left, in: subject.catalogue),
      let right = SeriesLabels.of(node.right, in: subject.catalogue)
    else { return }
    let differences = SeriesLabels.differences(left, right, matching)
    guard let label = differences.first else { return }
    let side = left.has(label) == true ? "left" : "right"
    let common = SeriesLabels.common(left, right).joined(separator: ", ")
    let effect = node.operation == .unless ? "this takes nothing away" : "this gives nothing"
    note(
      .neverJoins, at: node.operatorPlace,
      "the two sides of \(node.operation.rawValue) must agree in \(label), which only the \(side) one has, so \(effect)",
      matching.isOn
        ? "leave \(label) out of on, or keep it on both sides" : "write \(node.operation.rawValue) on (\(common))")
  }

  private mutating func lookAtBuckets(_ call: Expression.Call) {
    guard call.function.name == "histogram_quantile" || call.function.name == "histogram_fraction",
      let buckets = call.arguments.last, SeriesLabels.of(buckets, in: subject.catalogue)?.has("le") == false
    else { return }
    if case .aggregation(let node) = buckets.unwrapped {
      note(
        .missingBounds, at: buckets.place,
        "\(call.function.name) needs the bounds of the buckets, and \(node.aggregator.rawValue) drops their label le, so "
          + "this gives nothing",
        node.isWithout
          ? "take le out of without"
          : "write by (\((["le"] + node.grouping).joined(separator: ", ")))")
    } else {
      note(
        .missingBounds, at: buckets.place,
        "\(call.function.name) needs buckets with their bounds in the label le, and \(subject.text(buckets.place)) has none, so "
          + "this gives nothing", "take the metric that ends in _bucket, of a histogram")
    }
  }
}
