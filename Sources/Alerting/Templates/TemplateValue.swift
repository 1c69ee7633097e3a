/// One sample as a template sees it.
public struct TemplateSample: Sendable, Equatable {
  public let labels: [String: String]
  public let value: Double

  public init(labels: [String: String], value: Double) {
    self.labels = labels
    self.value = value
  }
}

/// What `.` is at the top of a rule's template.
public struct TemplateData: Sendable, Equatable {
  /// The labels of the result, with `__name__` where it has one.
  public let labels: [String: String]
  public let externalLabels: [String: String]
  public let externalURL: String
  public let value: Double

  public init(labels: [String: String], externalLabels: [String: String], externalURL: String, value: Double) {
    self.labels = labels
    self.externalLabels = externalLabels
    self.externalURL = externalURL
    self.value = value
  }
}

/// A value while a template is carried out, with the Go type it stands for.
enum TemplateValue: Sendable {
  /// What a missing key of a `map[string]interface {}` gives, and `nil`.
  case none
  case bool(Bool)
  case int(Int)
  case float(Double)
  case string(String)
  case labels([String: String])
  case map([String: TemplateValue])
  case samples([TemplateSample])
  case sample(TemplateSample)
  case time(GoTime)
  case duration(GoDuration)
  case data(TemplateData)

  var typeName: String {
    switch self {
    case .none: "<nil>"
    case .bool: "bool"
    case .int: "int"
    case .float: "float64"
    case .string: "string"
    case .labels: "map[string]string"
    case .map: "map[string]interface {}"
    case .samples: "template.queryResult"
    case .sample: "*template.sample"
    case .time: "*time.Time"
    case .duration: "*time.Duration"
    case .data:
      "struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }"
    }
  }

  /// Whether `if` and `with` take the value for true.
  var isTrue: Bool {
    switch self {
    case .none: false
    case .bool(let value): value
    case .int(let value): value != 0
    case .float(let value): value != 0
    case .string(let text): !text.isEmpty
    case .labels(let labels): !labels.isEmpty
    case .map(let map): !map.isEmpty
    case .samples(let samples): !samples.isEmpty
    case .sample, .time, .duration, .data: true
    }
  }

  /// What an action prints.
  var printed: String {
    if case .none = self { "<no value>" } else { plain }
  }

  /// What `%v` gives.
  var plain: String { GoFormat.plain(self) }
}

/// What the functions of templates reach outside for.
public struct TemplateContext: Sendable {
  /// Seconds since 1970 of the evaluation.
  public let timeSeconds: Double
  /// Where people reach this server, such as `https://redline.example/base`.
  public let externalURL: String
  /// Carries out a query at the time of the evaluation; its error becomes the template's.
  public let query: @Sendable (String) throws -> [TemplateSample]

  public init(
    timeSeconds: Double, externalURL: String, query: @escaping @Sendable (String) throws -> [TemplateSample]
  ) {
    self.timeSeconds = timeSeconds
    self.externalURL = externalURL
    self.query = query
  }
}
