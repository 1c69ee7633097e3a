import Config
import Runtime

/// A check that Redline has a command for.
///
/// A check has one name everywhere: in its results, in the label `check`, on pages and in the API. Only its objective in the
/// file is called by what it is about: a `drill` meets `objectives.verified.failover`.
public struct KnownCheck: Sendable {
  public let name: String
  /// What was verified if it is ok.
  public let title: String
  let objective: (@Sendable (VerifiedObjectives) -> Duration?)?
  /// What follows `redline `; FILE is the configuration and NAME the workload.
  let usage: String

  public static let all = [
    KnownCheck(
      name: "backup", title: "The backup can be restored", objective: { $0.backup },
      usage: "backup verify FILE --workload NAME"),
    KnownCheck(
      name: "drill", title: "A failover goes as it should", objective: { $0.failover },
      usage: "drill FILE --workload NAME --fault planned"),
    KnownCheck(
      name: "load", title: "It bears the load", objective: { $0.load },
      usage: "load run FILE --workload NAME --exec 'GENERATOR' --for 10m"),
    KnownCheck(name: "ready", title: "It is ready for a peak", objective: nil, usage: "ready FILE --workload NAME"),
  ]

  static func named(_ name: String) -> KnownCheck? { all.first { $0.name == name } }

  /// The command that runs it.
  func command(file: String, workload: String) -> String {
    let words = usage.split(separator: " ").map { word -> String in
      switch word {
      case "FILE": file
      case "NAME": workload
      default: String(word)
      }
    }
    return "redline \(words.joined(separator: " "))"
  }
}

/// How one check of one workload stands.
public struct CheckState: Sendable, Equatable {
  public let workload: String
  public let check: String
  /// The newest result of any verdict; nil for a check that never ran.
  public let newest: CheckReport?
  /// The newest whose verdict is ok or finding: an unknown one decides nothing, and does not make it younger.
  public let decisive: CheckReport?
  /// How old that may be; nil where nobody asks for it.
  public let objectiveSeconds: Double?
  /// When that objective was first configured.
  public let configuredAt: WallTime?
  /// What would run it; nil for a check that Redline has no command for.
  public let command: String?

  public var title: String { KnownCheck.named(check)?.title ?? check }

  /// For how long it is overdue; nil while it is not.
  ///
  /// One that never ran is overdue from the moment its objective was first configured.
  public func overdueSeconds(at now: WallTime) -> Double? {
    guard let objectiveSeconds else { return nil }
    if let decisive {
      let late = now - decisive.endedAt - objectiveSeconds
      return late > 0 ? late : nil
    }
    return max(0, now - (configuredAt ?? now))
  }
}
