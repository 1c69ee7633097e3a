import Config
import PromQL

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
    /// How the values of a label are written, where not all are known.
    public let forms: [String: LabelForm]
    /// What its samples can be, where that is less than any number.
    public let bounds: ClosedRange<Double>?

    public init(
      _ name: String, _ kind: Kind, labels: Set<String> = [], values: [String: Set<String>] = [:],
      forms: [String: LabelForm] = [:], bounds: ClosedRange<Double>? = nil
    ) {
      self.name = name
      self.kind = kind
      self.labels = labels
      self.values = values
      self.forms = forms
      self.bounds = bounds
    }

    /// A series of a histogram or summary that comes with it.
    fileprivate func part(
      _ name: String, _ kind: Kind, label: String? = nil, form: LabelForm? = nil
    ) -> Metric {
      var (labels, forms) = (labels, forms)
      if let label {
        labels.insert(label)
        forms[label] = form
      }
      return Metric(name, kind, labels: labels, values: values, forms: forms)
    }

    /// An info metric: always 1, what it tells is in its labels.
    var isInfo: Bool { name.hasSuffix("_info") }
  }

  private let byName: [String: Metric]
  /// Labels that any series may carry: of the target, or set in the configuration.
  public let targetLabels: Set<String>
  /// Metrics in which 0 stands for "no limit", so that a division by them needs a guard.
  public let zeroMeansUnlimited: Set<String>
  /// Metrics about the replicas of a master, which a replica has too, as 0.
  public let zeroOnReplicas: Set<String>

  /// - Parameter metrics: families; a histogram or summary brings its series (`_bucket`, `_sum`, `_count`) with it.
  public init(
    _ metrics: some Sequence<Metric>, targetLabels: Set<String>, zeroMeansUnlimited: Set<String> = [],
    zeroOnReplicas: Set<String> = []
  ) {
    var byName: [String: Metric] = [:]
    for metric in metrics {
      switch metric.kind {
      case .histogram:
        byName[metric.name + "_bucket"] = metric.part(metric.name + "_bucket", .counter, label: "le", form: .edge)
      case .summary:
        byName[metric.name] = metric.part(metric.name, .gauge, label: "quantile", form: .percentile)
      default:
        byName[metric.name] = metric
        continue
      }
      for part in ["_sum", "_count"] { byName[metric.name + part] = metric.part(metric.name + part, .counter) }
    }
    self.byName = byName
    self.targetLabels = targetLabels
    self.zeroMeansUnlimited = zeroMeansUnlimited
    self.zeroOnReplicas = zeroOnReplicas
  }

  func metric(_ name: String) -> Metric? { byName[name] }

  /// Exporters of Redis and its kin, whose metrics are the same but for the namespace.
  private static let kin = ["redis", "valkey", "keydb", "dragonfly"]

  /// The metric that was meant by a name that does not exist: misspelt, or of an exporter of the same fields. Any other
  /// namespace is another program's.
  func suggestion(for name: String) -> String? {
    let namespace = name.prefix { $0 != "_" }
    if Self.kin.contains(String(namespace)) {
      let namespaces = Set(byName.keys.map { known in String(known.prefix { $0 != "_" }) })
      let renamed = namespaces.map { $0 + name[namespace.endIndex...] }.filter { byName[$0] != nil }.min()
      if let renamed { return renamed }
    }
    return slip(name, in: byName.keys.filter { $0.hasPrefix("\(namespace)_") }.sorted())
  }
}

/// The name that was meant by one with a slip of the pen in it.
func slip(_ name: String, in candidates: some Sequence<String>) -> String? {
  nearest(to: name, in: candidates, within: 2)
}

/// What a look at rules takes into account besides the rules.
public struct RuleLintSettings: Sendable {
  public let catalogue: MetricCatalogue
  /// How often new samples come.
  public let pollIntervalMilliseconds: Int64
  /// How far back samples are kept; nil when that follows from the rules themselves.
  public let historyMilliseconds: Int64?
  /// Whose form the values of `le` and `quantile` have.
  public let dialect: Dialect

  public init(
    catalogue: MetricCatalogue, pollIntervalMilliseconds: Int64 = 5000, historyMilliseconds: Int64? = nil,
    dialect: Dialect = .prometheus3
  ) {
    self.catalogue = catalogue
    self.dialect = dialect
    self.pollIntervalMilliseconds = pollIntervalMilliseconds
    self.historyMilliseconds = historyMilliseconds
  }
}
