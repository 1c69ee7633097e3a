import Config

/// What is known of the series that rules may read: every metric by name, with its type, labels and their values.
public struct MetricCatalogue: Sendable {
  public enum Kind: String, Sendable {
    /// Only grows, but for resets.
    case counter
    /// A level that goes up and down.
    case gauge
    /// A gauge by type, for the sake of older dashboards, that grows like a counter.
    case growingGauge
    case histogram, summary, untyped
  }

  public struct Metric: Sendable {
    public let name: String
    public let kind: Kind
    /// The labels that its samples carry; those of the target come on top.
    public let labels: Set<String>
    /// All values that a label can have, where they are known.
    public let values: [String: Set<String>]

    public init(_ name: String, _ kind: Kind, labels: Set<String> = [], values: [String: Set<String>] = [:]) {
      self.name = name
      self.kind = kind
      self.labels = labels
      self.values = values
    }

    /// An info metric: always 1, what it tells is in its labels.
    var isInfo: Bool { name.hasSuffix("_info") }
  }

  private let byName: [String: Metric]
  /// Labels that any series may carry: of the target, or set in the configuration.
  public let targetLabels: Set<String>
  /// Metrics in which 0 stands for "no limit", so that a division by them needs a guard.
  public let zeroMeansUnlimited: Set<String>

  /// - Parameter metrics: families; a histogram or summary brings its series (`_bucket`, `_sum`, `_count`) with it.
  public init(_ metrics: some Sequence<Metric>, targetLabels: Set<String>, zeroMeansUnlimited: Set<String> = []) {
    var byName: [String: Metric] = [:]
    for metric in metrics {
      switch metric.kind {
      case .histogram:
        byName[metric.name + "_bucket"] = Metric(
          metric.name + "_bucket", .counter, labels: metric.labels.union(["le"]), values: metric.values)
      case .summary:
        byName[metric.name] = Metric(
          metric.name, .gauge, labels: metric.labels.union(["quantile"]), values: metric.values)
      default:
        byName[metric.name] = metric
        continue
      }
      for part in ["_sum", "_count"] {
        byName[metric.name + part] = Metric(metric.name + part, .counter, labels: metric.labels, values: metric.values)
      }
    }
    self.byName = byName
    self.targetLabels = targetLabels
    self.zeroMeansUnlimited = zeroMeansUnlimited
  }

  func metric(_ name: String) -> Metric? { byName[name] }

  /// The metric that was meant by a name that does not exist.
  func suggestion(for name: String) -> String? {
    // Another exporter's namespace over the same fields.
    if let bar = name.firstIndex(of: "_") {
      let namespaces = Set(byName.keys.map { known in String(known.prefix { $0 != "_" }) })
      let renamed = namespaces.map { namespace in namespace + name[bar...] }.filter { byName[$0] != nil }.min()
      if let renamed { return renamed }
    }
    return nearest(to: name, in: byName.keys.sorted())
  }
}

/// What a look at rules takes into account besides the rules.
public struct RuleLintSettings: Sendable {
  public let catalogue: MetricCatalogue
  /// How often new samples come.
  public let pollIntervalMilliseconds: Int64
  /// How far back samples are kept; nil when that follows from the rules themselves.
  public let historyMilliseconds: Int64?

  public init(catalogue: MetricCatalogue, pollIntervalMilliseconds: Int64 = 5000, historyMilliseconds: Int64? = nil) {
    self.catalogue = catalogue
    self.pollIntervalMilliseconds = pollIntervalMilliseconds
    self.historyMilliseconds = historyMilliseconds
  }
}
