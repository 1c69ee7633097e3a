import Runtime

/// Something that a person should know of a workload, in a sentence.
public struct Finding: Sendable, Equatable {
  /// How bad it is. Raw values are those of `redis_finding`.
  public enum Severity: Int, Sendable, CaseIterable, Comparable {
    /// Out of the ordinary, and no fault.
    case info = 1
    case warning
    /// Data is out of reach or in danger.
    case critical

    public static func < (left: Severity, right: Severity) -> Bool { left.rawValue < right.rawValue }

    /// A label value: it never changes.
    public var name: String { "\(self)" }
  }

  /// What it is about.
  public enum Subject: Sendable, Hashable {
    case workload
    /// By its `instance`.
    case node(String)
    /// By its master's `instance`.
    case shard(String)
    /// Keys of a pattern, or one stream, lock or circuit by name.
    case keys(String)

    /// The label `instance`; nil where it is about no single server.
    public var instance: String? {
      switch self {
      case .node(let name), .shard(let name): name
      case .workload, .keys: nil
      }
    }
  }

  /// The id of the check that found it.
  public let check: String
  public let group: CheckGroup
  public let severity: Severity
  public let subject: Subject
  public let text: String
  /// What tells it from other findings of the check about the same subject, such as a user; empty where there is one at most.
  var key = ""
  /// It was there when its server was looked over for the first time.
  public internal(set) var isKnown = false
  /// Since when it holds, as far as this daemon has watched.
  public var since = WallTime(seconds: 0)
}

/// What a check could not see.
public struct Blindness: Sendable, Equatable {
  public let check: String
  public let group: CheckGroup
  public let subject: Finding.Subject
  /// What is missing: a right such as `+config|get`, or why nothing is known yet.
  public let reason: String
}

/// What a check says beside what it finds: it decides nothing.
public struct Aside: Sendable, Equatable {
  public let check: String
  public let subject: Finding.Subject
  /// `accepted` or `not compared`.
  public let answer: CheckResult.Answer
  /// What is accepted and why, or why nothing can be compared yet.
  public let text: String
}

extension [Finding] {
  /// Findings of equal weight stay in their order, that of the catalogue.
  var worstFirst: [Finding] {
    Finding.Severity.allCases.reversed().flatMap { severity in filter { $0.severity == severity } }
  }
}
