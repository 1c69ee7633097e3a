import Config
import PromQL

/// The steps that every alert's labels go through before it is sent, their expressions compiled.
///
/// The semantics are those of Prometheus 3, in which `.` matches a newline too.
struct Relabeling: Sendable {
  private struct Step: Sendable {
    let config: RelabelConfig
    let regex: PromQL.Regex
  }
  private let steps: [Step]

  /// - Parameter file: names the configuration file in errors.
  /// - Throws: every expression that RE2 does not accept.
  init(_ configs: [RelabelConfig], file: String) throws(ConfigErrors) {
    var steps: [Step] = []
    var errors: [ConfigError] = []
    for config in configs {
      do throws(RegexError) {
        steps.append(Step(config: config, regex: try PromQL.Regex(config.regex)))
      } catch {
        errors.append(
          ConfigError(
            .file(file, config.place.mark), path: config.place.path, value: config.regex,
            problem: "is no regular expression", hint: error.reason))
      }
    }
    guard errors.isEmpty else { throw ConfigErrors(errors) }
    self.steps = steps
  }

  /// The labels after all steps, without those that became empty; nil when a step drops the alert.
  func apply(_ labels: [String: String]) -> [String: String]? {
    var labels = labels
    for step in steps where !Self.apply(step, to: &labels) { return nil }
    return labels
  }

  /// - Returns: whether the alert stays.
  private static func apply(_ step: Step, to labels: inout [String: String]) -> Bool {
    let config = step.config
    let value = config.sourceLabels.map { labels[$0] ?? "" }.joined(separator: config.separator)
    switch config.action {
    case .keep: return step.regex.matches(value)
    case .drop: return !step.regex.matches(value)
    case .keepEqual: return labels[config.targetLabel] ?? "" == value
    case .dropEqual: return labels[config.targetLabel] ?? "" != value
    case .replace:
      guard let name = step.regex.expanding(config.targetLabel, from: value), RelabelConfig.isLabelName(name),
        let text = step.regex.expanding(config.replacement, from: value)
      else { return true }
      set(name, text, &labels)
    case .lowercase: set(config.targetLabel, mapped(value, \.lowercaseMapping), &labels)
    case .uppercase: set(config.targetLabel, mapped(value, \.uppercaseMapping), &labels)
    case .hashmod:
      let digest = md5(Array(value.utf8))
      let number = digest[8...].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      set(config.targetLabel, String(number % config.modulus), &labels)
    case .labelmap:
      for (name, text) in labels.sorted(by: { $0.key < $1.key }) {
        guard let target = step.regex.expanding(config.replacement, from: name), RelabelConfig.isLabelName(target)
        else { continue }
        set(target, text, &labels)
      }
    case .labeldrop: labels = labels.filter { !step.regex.matches($0.key) }
    case .labelkeep: labels = labels.filter { step.regex.matches($0.key) }
    }
    return true
  }

  private static func set(_ name: String, _ value: String, _ labels: inout [String: String]) {
    labels[name] = value.isEmpty ? nil : value
  }

  /// Letter by letter, as Go does: a letter whose other case is several letters stays as it is.
  private static func mapped(
    _ text: String, _ mapping: (Unicode.Scalar.Properties) -> String
  ) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      let other = mapping(scalar.properties).unicodeScalars
      result.unicodeScalars.append(other.count == 1 ? other.first ?? scalar : scalar)
    }
    return result
  }
}
