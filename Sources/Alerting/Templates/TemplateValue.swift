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

/// What a function takes as an argument.
enum TemplateType: String {
  case any = "interface {}"
  case string = "string"
  case sample = "*template.sample"
  case samples = "template.queryResult"
  case duration = "time.Duration"
  case integer = "int"

  /// Why the value cannot be given, nil when it can.
  func problem(with value: TemplateValue) -> String? {
    switch (self, value) {
    case (.any, _), (.string, .string), (.sample, .sample), (.samples, .samples), (.duration, .duration),
      (.integer, .int):
      return nil
    case (.string, .none), (.duration, .none), (.integer, .none): return "invalid value; expected \(rawValue)"
    default: return "wrong type for value; expected \(rawValue); got \(value.typeName)"
    }
  }

  /// Go looks at literals by themselves and says other things about them.
  func problem(withLiteral operand: TemplateOperand) -> String? {
    switch (self, operand.kind) {
    case (.any, _), (.string, .string), (.integer, .number): nil
    case (.string, .bool), (.string, .number): "expected string; found \(operand.source)"
    case (.integer, .bool), (.integer, .string): "expected integer; found \(operand.source)"
    case (.sample, .bool), (.sample, .number), (.sample, .string), (.samples, .bool), (.samples, .number),
      (.samples, .string):
      "can't handle \(operand.source) for arg of type \(rawValue)"
    case (.string, .nil), (.integer, .nil), (.duration, .nil): "cannot assign nil to \(rawValue)"
    default: nil
    }
  }
}

/// What looking for a field gave.
enum TemplateField {
  case value(TemplateValue)
  case missing
}

extension TemplateValue {
  /// A field or key. A key that a map lacks gives its zero value, as with Prometheus' option `missingkey=zero`.
  func field(_ name: String) -> TemplateField {
    switch (self, name) {
    case (.labels(let labels), _): .value(.string(labels[name] ?? ""))
    case (.map(let map), _): .value(map[name] ?? .none)
    case (.data(let data), "Labels"): .value(.labels(data.labels))
    case (.data(let data), "ExternalLabels"): .value(.labels(data.externalLabels))
    case (.data(let data), "ExternalURL"): .value(.string(data.externalURL))
    case (.data(let data), "Value"): .value(.float(data.value))
    case (.sample(let sample), "Labels"): .value(.labels(sample.labels))
    case (.sample(let sample), "Value"): .value(.float(sample.value))
    default: .missing
    }
  }

  /// The end of the sentence when arguments are given to a field.
  var argumentsProblem: String {
    switch self {
    case .labels, .map: "is not a method but has arguments"
    default: "has arguments but cannot be invoked as function"
    }
  }
}

/// A method of a value that a function gave.
struct TemplateMethod: Sendable {
  let parameters: [TemplateType]
  let body: @Sendable (TemplateValue, [TemplateValue]) -> TemplateValue

  static func named(_ name: String, of value: TemplateValue) -> TemplateMethod? {
    switch value {
    case .time: times[name]
    case .duration: durations[name]
    default: nil
    }
  }

  private static func time(_ read: @escaping @Sendable (GoTime) -> TemplateValue) -> TemplateMethod {
    TemplateMethod(parameters: []) { value, _ in
      if case .time(let time) = value { read(time) } else { .none }
    }
  }

  private static func duration(_ read: @escaping @Sendable (GoDuration) -> TemplateValue) -> TemplateMethod {
    TemplateMethod(parameters: []) { value, _ in
      if case .duration(let duration) = value { read(duration) } else { .none }
    }
  }

  private static let times: [String: TemplateMethod] = [
    "Format": TemplateMethod(parameters: [.string]) { value, arguments in
      guard case .time(let time) = value, case .string(let layout) = arguments[0] else { return .none }
      return .string(time.formatted(layout))
    },
    "Add": TemplateMethod(parameters: [.duration]) { value, arguments in
      guard case .time(let time) = value, case .duration(let duration) = arguments[0] else { return .none }
      return .time(GoTime(unixNs: time.unixNs &+ duration.ns))
    },
    "UTC": time { .time($0) },
    "String": time { .string($0.description) },
    "Unix": time { .int(Int($0.unixNs.flooredQuotient(1_000_000_000))) },
    "UnixMilli": time { .int(Int($0.unixNs.flooredQuotient(1_000_000))) },
    "UnixMicro": time { .int(Int($0.unixNs.flooredQuotient(1000))) },
    "UnixNano": time { .int(Int($0.unixNs)) },
    "Year": time { .int($0.fields.year) },
    "Month": time { .string(GoTime.months[$0.fields.month - 1]) },
    "Day": time { .int($0.fields.day) },
    "YearDay": time { .int($0.fields.yearDay) },
    "Weekday": time { .string(GoTime.weekdays[$0.fields.weekday]) },
    "Hour": time { .int($0.fields.hour) },
    "Minute": time { .int($0.fields.minute) },
    "Second": time { .int($0.fields.second) },
    "Nanosecond": time { .int($0.fields.nanosecond) },
  ]

  private static let durations: [String: TemplateMethod] = [
    "String": duration { .string($0.description) },
    "Hours": duration { .float(Double($0.ns) / 3.6e12) },
    "Minutes": duration { .float(Double($0.ns) / 6e10) },
    "Seconds": duration { .float(Double($0.ns) / 1e9) },
    "Milliseconds": duration { .int(Int($0.ns / 1_000_000)) },
    "Microseconds": duration { .int(Int($0.ns / 1000)) },
    "Nanoseconds": duration { .int(Int($0.ns)) },
  ]
}

extension Int64 {
  fileprivate func flooredQuotient(_ divisor: Int64) -> Int64 {
    self >= 0 ? self / divisor : -((-(self + 1)) / divisor) - 1
  }
}
