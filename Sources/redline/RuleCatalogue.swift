import Alerting
import Metrics

/// What rules may rely on: the families of the catalogue with what is known of their labels.
enum RuleCatalogue {
  /// Labels that Prometheus or the configuration put on every series.
  static let targetLabels: Set<String> = ["job", "instance", "workload", "environment", "master_name", "team"]

  /// - Parameter further: labels besides `targetLabels` that the user's targets carry.
  static func make(namespace: String = "redis", targetLabels further: Set<String> = []) -> MetricCatalogue {
    let exposition = Exposition(namespace: namespace)
    let metrics = FamilyCatalogue.all.map { family in
      MetricCatalogue.Metric(
        exposition.fullName(of: family), kind(of: family), labels: Set(family.labelNames),
        values: family.labelValues)
    }
    let unlimited = FamilyCatalogue.all.filter(\.isUnlimitedAtZero).map { exposition.fullName(of: $0) }
    return MetricCatalogue(
      metrics, targetLabels: targetLabels.union(further), zeroMeansUnlimited: Set(unlimited))
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
