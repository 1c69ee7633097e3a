import Runtime

/// Quantiles and shares of classic histograms: series with cumulative counts and their upper bounds in the label `le`.
enum HistogramFunctions {
  static let all =
    ofBuckets
    + ofNativeHistograms.map { name, dialects in
      // Of numbers they give nothing, and every sample here is one.
      Function(name, [.vector], dialects: dialects, .perValueWithScalars { _, _ in nil })
    }

  private static let ofBuckets = [
    Function("histogram_quantile", [.scalar, .vector], .special { try quantile($0, $1, $2) }),
    Function("histogram_fraction", [.scalar, .scalar, .vector], .special { try fraction($0, $1, $2) }),
  ]

  fileprivate static let ofNativeHistograms: [String: [Dialect]] = [
    "histogram_count": Dialect.allCases, "histogram_sum": Dialect.allCases, "histogram_avg": [.prometheus3],
    "histogram_stddev": [.prometheus3], "histogram_stdvar": [.prometheus3],
  ]

  private static let boundLabel = Array("le".utf8)
  private static let boundName = LabelNames(["le"])

  private static func quantile(
    _ evaluation: Evaluation, _ call: Expression.Call, _ steps: Steps
  ) throws -> Evaluation.Value {
    let quantiles = try evaluation.scalar(call.arguments[0], steps)
    for q in quantiles { evaluation.annotations.checkQuantile(q, at: call.arguments[0].place) }

    return try eachHistogram(evaluation, call.arguments[1], steps) { labels, members, step in
      let (value, isForced) = Buckets(members, dialect: evaluation.dialect).quantile(quantiles[step])
      if isForced {
        evaluation.annotations.add(
          .info,
          "input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/"
            + "prometheus/latest/querying/functions/#histogram_quantile)", of: labels, at: call.arguments[1].place)
      }
      return value
    }
  }

  private static func fraction(
    _ evaluation: Evaluation, _ call: Expression.Call, _ steps: Steps
  ) throws -> Evaluation.Value {
    // In Prometheus 2 it is for native histograms only.
    if evaluation.dialect == .prometheus2 {
      _ = try evaluation.vector(call.arguments[2], steps)
      return .vector(Table(stepCount: steps.count))
    }
    let lower = try evaluation.scalar(call.arguments[0], steps)
    let upper = try evaluation.scalar(call.arguments[1], steps)
    return try eachHistogram(evaluation, call.arguments[2], steps) { _, members, step in
      Buckets(members, dialect: nil).fraction(from: lower[step], to: upper[step])
    }
  }

  /// A value for each histogram of a vector, with its labels and name, and each step at which it has buckets.
  private static func eachHistogram(
    _ evaluation: Evaluation, _ argument: Expression, _ steps: Steps,
    value: (Labels, [Buckets.Bucket], Int) -> Double
  ) throws -> Evaluation.Value {
    let table = try evaluation.vector(argument, steps)
    // Metrics of different names are different histograms, even where the labels agree.
    var groups: [Labels: Int] = [:]
    var rows: [(labels: Labels, buckets: [(row: Int, bound: Double)])] = []
    for row in 0..<table.rowCount {
      let labels = table.labels[row]
      let text = String(decoding: labels.value(of: boundLabel), as: UTF8.self)
      guard let bound = Double(text) else {
        evaluation.annotations.add(
          .warning, "bucket label \"le\" is missing or has a malformed value of \(quoted(text))",
          of: labels, at: argument.place)
        continue
      }
      let key = labels.dropping(boundName)
      if let group = groups[key] {
        rows[group].buckets.append((row, bound))
      } else {
        groups[key] = rows.count
        rows.append((key, [(row, bound)]))
      }
    }

    var result = Table(stepCount: steps.count)
    for (labels, members) in rows {
      result.append(labels.withoutMetricName) { step in
        let buckets = members.filter { !table[$0.row, step].isStalenessMarker }
          .map { Buckets.Bucket(bound: $0.bound, count: table[$0.row, step]) }
        return buckets.isEmpty ? .absent : value(labels, buckets, step)
      }
    }
    return .vector(try result.joined())
  }
}

extension Function {
  /// Gives nothing for numbers, whatever they are.
  public func isOfNativeHistograms(in dialect: Dialect) -> Bool {
    HistogramFunctions.ofNativeHistograms[name] != nil || (name == "histogram_fraction" && dialect == .prometheus2)
  }
}

/// The buckets of one histogram at one moment.
struct Buckets {
  struct Bucket {
    let bound: Double
    var count: Double
  }

  private var buckets: [Bucket]
  private var isForced = false

  /// Sorts; buckets with the same bound are added up. With a dialect the counts are made to grow with the bounds.
  init(_ unsorted: [Bucket], dialect: Dialect?) {
    buckets = []
    for bucket in unsorted.sorted(by: { $0.bound < $1.bound }) {
      if buckets.last?.bound == bucket.bound {
        buckets[buckets.count - 1].count += bucket.count
      } else {
        buckets.append(bucket)
      }
    }
    switch dialect {
    case .prometheus3: makeMonotonicIgnoringRounding()
    case .prometheus2: makeMonotonic()
    case nil: break
    }
  }

  private mutating func makeMonotonic() {
    for index in buckets.indices.dropFirst() where buckets[index].count < buckets[index - 1].count {
      buckets[index].count = buckets[index - 1].count
      isForced = true
    }
  }

  private mutating func makeMonotonicIgnoringRounding() {
    guard var previous = buckets.first?.count else { return }
    for index in buckets.indices.dropFirst() {
      let count = buckets[index].count
      if count == previous { continue }
      // What rounding in rate and sum leaves is no decrease.
      if previous.isAlmostEqual(to: count, relativeTolerance: 1e-12) {
        buckets[index].count = previous
      } else if count < previous {
        buckets[index].count = previous
        isForced = true
      } else {
        previous = count
      }
    }
  }

  /// Linear between the bounds of a bucket; the lowest starts at 0, unless its bound is not above it. NaN when the
  /// bucket +Inf is missing or nothing was observed.
  func quantile(_ q: Double) -> (value: Double, isForced: Bool) {
    if q.isNaN { return (.nan, false) }
    if q < 0 { return (-.infinity, false) }
    if q > 1 { return (.infinity, false) }
    guard let top = buckets.last, top.bound == .infinity, buckets.count >= 2, top.count != 0 else {
      return (.nan, isForced)
    }
    var rank = q * top.count
    let index = buckets.dropLast().firstIndex { $0.count >= rank } ?? buckets.count - 1
    if index == buckets.count - 1 { return (buckets[index - 1].bound, isForced) }
    let bucket = buckets[index]
    if index == 0 {
      return (bucket.bound <= 0 ? bucket.bound : bucket.bound * (rank / bucket.count), isForced)
    }
    let below = buckets[index - 1]
    rank -= below.count
    return (below.bound + (bucket.bound - below.bound) * (rank / (bucket.count - below.count)), isForced)
  }

  /// The share of observations above `lower` and up to `upper`. NaN when the bucket +Inf is missing or nothing was
  /// observed.
  ///
  /// Observations lie evenly between the bounds of a bucket, but on the bound that is not infinite where one is. The
  /// lowest starts at 0, unless its bound is not above it.
  func fraction(from lower: Double, to upper: Double) -> Double {
    guard let top = buckets.last, top.bound == .infinity, top.count != 0, !lower.isNaN, !upper.isNaN
    else { return .nan }
    if lower >= upper { return 0 }
    return (min(rank(of: upper), top.count) - min(rank(of: lower), top.count)) / top.count
  }

  /// How many observations lie below a value.
  private func rank(of value: Double) -> Double {
    var below = Bucket(bound: buckets[0].bound <= 0 ? -.infinity : 0, count: 0)
    for bucket in buckets {
      if value <= below.bound { return below.count }
      if value < bucket.bound {
        if below.bound == -.infinity { return bucket.count }
        let share = (value - below.bound) / (bucket.bound - below.bound)
        return below.count + (bucket.count - below.count) * share
      }
      below = bucket
    }
    return below.count
  }
}
