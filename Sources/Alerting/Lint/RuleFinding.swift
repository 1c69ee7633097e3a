import Config
import PromQL

/// Something in a good rule that will not do what its author expects.
///
/// Printed as `rules.yml:12:9: RedisOld: never-exported: …why…; …what to write instead…`.
public struct RuleFinding: Sendable, Equatable, CustomStringConvertible {
  public enum Kind: String, Sendable, CaseIterable {
    case duplicateRule = "duplicate-rule"
    case neverExportedMetric = "never-exported-metric"
    case neverExportedLabel = "never-exported-label"
    case neverExportedValue = "never-exported-value"
    case unguardedDivision = "unguarded-division"
    case rateOfGauge = "rate-of-gauge"
    case increaseOfLevel = "increase-of-level"
    case lifetimeCounter = "lifetime-counter"
    case neverTrue = "never-true"
    case alsoOfReplicas = "also-of-replicas"
    case shorterThanFor = "shorter-than-for"
    case neverJoins = "never-joins"
    case missingBounds = "missing-bounds"
    case nativeHistogram = "native-histogram"
    case hiddenRoleChange = "hidden-role-change"
    case countOfNothing = "count-of-nothing"
    case shortRange = "short-range"
    case missingHistory = "missing-history"
    case leftoverVariable = "leftover-variable"
  }

  public let kind: Kind
  public let file: String
  public let mark: SourceMark
  /// The alert or recorded metric.
  public let rule: String
  /// Why it is wrong.
  public let problem: String
  /// What to write instead.
  public let advice: String

  public var description: String {
    "\(file):\(mark.line):\(mark.column): \(rule): \(kind.rawValue): \(problem); \(advice)"
  }
}

extension RuleFile {
  /// What the rules of several files will not do as expected.
  ///
  /// - Parameter settings: nil leaves out what only the exporter can know.
  public static func findings(in files: [RuleFile], settings: RuleLintSettings?) -> [RuleFinding] {
    let rules = files.flatMap(\.groups).flatMap(\.rules)
    let recorded = Set(rules.compactMap { if case .recording(let rule) = $0 { rule.name } else { nil } })
    return rules.flatMap { rule -> [RuleFinding] in
      guard let settings else { return [] }
      var subject = RuleSubject(rule, settings: settings, recorded: recorded)
      subject.lookAtSelectors()
      subject.lookAtDivisions()
      subject.lookAtFunctions()
      subject.lookAtOperators()
      subject.lookAtHistory()
      return subject.findings
    }
  }

  /// Rules of one file with the same name and the same labels: promtool's `duplicate-rules`.
  public var duplicates: [RuleFinding] {
    var known: [RuleIdentity: Rule] = [:]
    var findings: [RuleFinding] = []
    for rule in groups.flatMap(\.rules) {
      guard let first = known.updateValue(rule, forKey: RuleIdentity(rule)) else { continue }
      findings.append(
        RuleFinding(
          kind: .duplicateRule, file: path, mark: rule.place.mark, rule: rule.name,
          problem: "the rule on line \(first.place.mark.line) has the same name and labels",
          advice: "tell them apart by a label, or take one out: their series run into one another"))
    }
    return findings
  }
}
