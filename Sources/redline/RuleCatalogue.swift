import Alerting
import Metrics

/// What rules may rely on: the families of the catalogue with what is known of their labels.
enum RuleCatalogue {
  /// Labels that Prometheus or the configuration put on every series.
  static let targetLabels: Set<String> = ["job", "instance", "workload", "environment", "master_name", "team"]

  /// Labels whose values are written in one way, whatever they are.
  private static let forms: [String: LabelForm] = ["db": .database, "cmd": .lowercase]
  /// CLIENT LIST has the bare number of the database.
  private static let formless: Set<String> = ["connected_client_info"]

  /// What samples can be. The connection that redline asks through is a client, too.
  private static let knownBounds: [String: ClosedRange<Double>] = [
    "up": 0...1, "connected_clients": 1...Double.infinity,
  ]

  /// About the replicas of a master; a replica has them too, as 0.
  private static let zeroOnReplicas: Set<String> = ["connected_slaves"]

  private static func bounds(of family: Family) -> ClosedRange<Double>? {
    if let known = knownBounds[family.name] { return known }
    if family.name.hasSuffix("_info") { return 1...1 }
    if family.help.contains("1 or 0") { return 0...1 }
    return family.type == .counter ? 0...Double.infinity : nil
  }

  /// - Parameter further: labels besides `targetLabels` that the user's targets carry.
  static func make(namespace: String = "redis", targetLabels further: Set<String> = []) -> MetricCatalogue {
    let exposition = Exposition(namespace: namespace)
    let metrics = FamilyCatalogue.all.map { family in
      MetricCatalogue.Metric(
        exposition.fullName(of: family), kind(of: family), labels: Set(family.labelNames),
        values: family.labelValues, forms: formless.contains(family.name) ? [:] : forms, bounds: bounds(of: family))
    }
    let unlimited = FamilyCatalogue.all.filter(\.isUnlimitedAtZero).map { exposition.fullName(of: $0) }
    let ofMasters = FamilyCatalogue.all.filter { zeroOnReplicas.contains($0.name) }.map { exposition.fullName(of: $0) }
    return MetricCatalogue(
      metrics, targetLabels: targetLabels.union(further), zeroMeansUnlimited: Set(unlimited),
      zeroOnReplicas: Set(ofMasters))
  }

  private static func kind(of family: Family) -> MetricCatalogue.Kind {
    switch family.type {
    case .counter: .counter
    case .gauge: family.isGrowing ? .growingGauge : .gauge
    case .histogram: .histogram
    case .summary: .summary
    case .untyped: .untyped
    }
  }
}
