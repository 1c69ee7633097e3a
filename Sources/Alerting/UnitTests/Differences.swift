import Config
import PromQL

/// How firing alerts differ from those expected, one line for each thing that differs.
struct AlertDifference {
  /// Expected and not firing, with what is said of each.
  private var missing: [String] = []
  private var unexpected: [String] = []
  /// Firing as expected, but for annotations.
  private var changed: [String] = []

  /// - Parameter alerts: pending and firing ones; only the latter count.
  init(expected: [RuleUnitTests.ExpectedAlert], alerts: [Alert]) {
    var firing = alerts.filter { $0.state == .firing }.map { (labels: Self.dictionary($0.labels), alert: $0) }
    var open: [RuleUnitTests.ExpectedAlert] = []
    for one in expected {
      if let match = firing.firstIndex(where: { $0.labels == one.labels && $0.alert.annotations == one.annotations }) {
        firing.remove(at: match)
      } else {
        open.append(one)
      }
    }
    for one in open {
      if let match = firing.firstIndex(where: { $0.labels == one.labels }) {
        let got = firing.remove(at: match).alert
        changed.append(Self.text(one.labels) + Self.changes(from: one.annotations, to: got.annotations))
      } else {
        missing.append(Self.text(one.labels) + Self.remark(on: one, alerts, firing.map(\.labels)))
      }
    }
    unexpected = firing.map { Self.text($0.labels) + Self.annotations($0.alert.annotations) }
  }

  var isEmpty: Bool { missing.isEmpty && unexpected.isEmpty && changed.isEmpty }

  var text: String {
    [("does not fire", missing), ("fires, and is not expected", unexpected), ("fires with other annotations", changed)]
      .filter { !$0.1.isEmpty }
      .map { heading, lines in "\n    \(heading):" + lines.map { "\n      \($0)" }.joined() }.joined()
  }

  static func missingRule(_ name: String, among names: Set<String>) -> String {
    let near = nearest(to: name, in: names.sorted()).map { "; did you mean \($0)?" } ?? ""
    return " no rule has this name\(near)"
  }

  /// Why an alert may be missing: it is pending still, or fires under other labels.
  private static func remark(
    on expected: RuleUnitTests.ExpectedAlert, _ alerts: [Alert], _ firing: [[String: String]]
  ) -> String {
    if alerts.contains(where: { $0.state == .pending && dictionary($0.labels) == expected.labels }) {
      return " (it is pending)"
    }
    guard let nearest = firing.min(by: { distance($0, expected.labels) < distance($1, expected.labels) }),
      distance(nearest, expected.labels) <= 2
    else { return "" }
    return changes(from: expected.labels, to: nearest)
  }

  private static func distance(_ a: [String: String], _ b: [String: String]) -> Int {
    Set(a.keys).union(b.keys).count { a[$0] != b[$0] }
  }

  /// A line with `-` for what was expected and one with `+` for what is there, for each key that differs.
  private static func changes(from expected: [String: String], to got: [String: String]) -> String {
    Set(expected.keys).union(got.keys).sorted().filter { expected[$0] != got[$0] }.map { key in
      (expected[key].map { "\n        - \(key): \(GoQuote.quoted($0))" } ?? "")
        + (got[key].map { "\n        + \(key): \(GoQuote.quoted($0))" } ?? "")
    }.joined()
  }

  private static func annotations(_ annotations: [String: String]) -> String {
    annotations.sorted { $0.key < $1.key }.map { "\n        \($0.key): \(GoQuote.quoted($0.value))" }.joined()
  }

  private static func dictionary(_ labels: Labels) -> [String: String] {
    Dictionary(uniqueKeysWithValues: labels.pairs.map { ($0.name, $0.value) })
  }

  private static func text(_ labels: [String: String]) -> String {
    "{\(labels.sorted { $0.key < $1.key }.map { "\($0.key)=\(GoQuote.quoted($0.value))" }.joined(separator: ", "))}"
  }
}

/// How the samples of a query differ from those expected.
struct SampleDifference {
  private var lines: [String] = []

  init(expected: [RuleSample], got: [RuleSample], isFuzzy: Bool) {
    var open = got
    for sample in expected.sorted(by: { $0.labels < $1.labels }) {
      if let match = open.firstIndex(where: {
        $0.labels == sample.labels && Self.agree($0.value, sample.value, isFuzzy)
      }) {
        open.remove(at: match)
      } else if let match = open.firstIndex(where: { $0.labels == sample.labels }) {
        let value = open.remove(at: match).value
        lines.append("    \(sample.labels)\n      - \(Self.text(sample.value))\n      + \(Self.text(value))")
      } else {
        lines.append("    - \(sample.labels) \(Self.text(sample.value))")
      }
    }
    lines += open.sorted { $0.labels < $1.labels }.map { "    + \($0.labels) \(Self.text($0.value))" }
  }

  var isEmpty: Bool { lines.isEmpty }
  var text: String { "\n" + lines.joined(separator: "\n") }

  private static func agree(_ a: Double, _ b: Double, _ isFuzzy: Bool) -> Bool {
    a == b || (isFuzzy && (a.nextUp == b || a.nextDown == b))
  }

  private static func text(_ value: Double) -> String { GoNumber.plain(value) }
}
