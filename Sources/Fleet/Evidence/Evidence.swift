import Runtime

/// What was gathered about an alert while its cause could still be seen: by construction without keys, values and
/// passwords.
public struct Evidence: Sendable, Equatable {
  /// Why a look was taken.
  public enum Moment: String, Sendable, CaseIterable {
    /// The alert became pending.
    case pending
    /// It began to fire.
    case firing
    /// Five minutes after it began to fire.
    case later
  }

  public enum Unit: String, Sendable {
    case count, bytes, seconds, ratio
    case perSecond = "per_second"
  }

  /// A number that is compared from look to look.
  public struct Figure: Sendable, Equatable {
    /// What it is called in INFO, or by us: `used_memory`.
    public let name: String
    /// For people.
    public let title: String
    public let unit: Unit
    /// Finite.
    public let value: Double

    public init(_ name: String, _ title: String, _ unit: Unit, _ value: Double) {
      (self.name, self.title, self.unit, self.value) = (name, title, unit, value)
    }
  }

  public struct Table: Sendable, Equatable {
    public let columns: [String]
    public var rows: [[String]]
    /// Rows that are left out.
    public var omittedCount = 0

    public init(_ columns: [String], _ rows: [[String]], limit: Int = Self.rowLimit) {
      self.columns = columns
      self.rows = Array(rows.prefix(limit))
      omittedCount = rows.count - self.rows.count
    }

    public static let rowLimit = 20
  }

  /// What one source has to say.
  public struct Section: Sendable, Equatable {
    /// ``EvidenceSource/name``
    public let source: String
    public let title: String
    public var lines: [String]
    public var table: Table?

    public init(source: String, title: String, lines: [String] = [], table: Table? = nil) {
      (self.source, self.title, self.lines, self.table) = (source, title, lines, table)
    }
  }

  /// What one server said.
  public struct Node: Sendable, Equatable {
    /// The label `instance`.
    public let instance: String
    /// `master`, `replica`, `sentinel`, or `unknown`.
    public let role: String
    /// Why it said nothing; nil where it answered.
    public var silence: String?
    /// When it answered or was given up, milliseconds since 1970.
    public var atMs: Int64
    public var figures: [Figure] = []
    public var sections: [Section] = []
  }

  public struct Look: Sendable, Equatable {
    public let moment: Moment
    /// When it began, milliseconds since 1970.
    public let atMs: Int64
    public var nodes: [Node] = []
    /// What redline itself knows: findings and what happened before.
    public var sections: [Section] = []
  }

  /// A sentence about what may be the cause.
  public struct Culprit: Sendable, Equatable {
    /// ``CulpritRule/id``
    public let rule: String
    /// Two of one rule with the same key are one.
    public let key: String
    /// The heaviest comes first.
    public let weight: Int
    public let text: String
    /// Where it is seen: `slow log of 10.0.0.1:6379`.
    public let restsOn: String

    public init(_ rule: String, key: String = "", weight: Int, _ text: String, restsOn: String) {
      (self.rule, self.key, self.weight, self.text, self.restsOn) = (rule, key, weight, text, restsOn)
    }
  }

  /// An alert that shares this evidence: its labels without its name as one word.
  public struct Subject: Sendable, Hashable {
    public let alert: String
    public let labelsHash: String
  }

  public let id: String
  /// The alert that it was begun for.
  public let alert: String
  /// Every alert of the workload that it is about: those of one minute share it.
  public var subjects: [Subject]
  public var severity: String
  public let workload: String
  /// The label `instance` of the alert; nil for none.
  public let node: String?
  /// When the alert became pending, milliseconds since 1970.
  public let atMs: Int64
  public var firedAtMs: Int64?
  public var looks: [Look] = []
  /// The likeliest first; empty where nothing stands out.
  public var culprits: [Culprit] = []
  /// What was left out to keep it within bounds.
  public var isCut = false

  /// The names of all its alerts, each once.
  public var alerts: [String] {
    subjects.reduce(into: []) { names, subject in if !names.contains(subject.alert) { names.append(subject.alert) } }
  }

  /// The most sentences that are kept.
  public static let culpritLimit = 5
  /// The most alerts that share one.
  static let subjectLimit = 100

  /// Takes up sentences of a look: of those known already, the heavier.
  mutating func take(_ found: [Culprit]) {
    for new in found {
      if let place = culprits.firstIndex(where: { $0.rule == new.rule && $0.key == new.key }) {
        if new.weight >= culprits[place].weight { culprits[place] = new }
      } else {
        culprits.append(new)
      }
    }
    // Sorting must not change the order of equals.
    let ranked = culprits.enumerated().sorted { ($1.element.weight, $0.offset) < ($0.element.weight, $1.offset) }
    culprits = Array(ranked.map(\.element).prefix(Self.culpritLimit))
  }
}
