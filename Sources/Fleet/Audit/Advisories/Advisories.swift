import Config
import Runtime

/// What is known of faults in versions of Redis and Valkey: the file `audit.advisories`.
///
/// Nothing of it is asked for over the network: it is as new as the file is.
struct Advisories: Sendable, Equatable {
  /// The first part of a version, up to the number that only patches change: `7.2`.
  struct Branch: Sendable, Hashable, Comparable, CustomStringConvertible {
    let major: Int
    let minor: Int

    init(_ major: Int, _ minor: Int) { (self.major, self.minor) = (major, minor) }
    init(_ version: Version) { self.init(version.major, version.minor) }

    static func < (left: Branch, right: Branch) -> Bool { (left.major, left.minor) < (right.major, right.minor) }
    var description: String { "\(major).\(minor)" }
  }

  /// How bad a fault is by its vendor's word.
  enum Weight: String, Sendable, CaseIterable {
    case low, medium, high, critical
  }

  /// What somebody must be able to do to make use of a fault.
  enum Need: Sendable, Hashable {
    /// To reach the port.
    case noLogin
    /// To log in as anybody.
    case login
    /// To run a command.
    case command(DangerousCommand)
  }

  /// Servers that a fault is about alone.
  enum Condition: String, Sendable, CaseIterable {
    case tls, cluster
  }

  /// A release of a distribution, such as `debian 12`.
  struct Release: Sendable, Hashable, CustomStringConvertible {
    let distribution: String
    let release: String
    var description: String { "\(distribution) \(release)" }
  }

  /// One fault.
  struct Fault: Sendable, Equatable {
    /// `CVE-2025-49844`.
    let id: String
    let weight: Weight
    let need: Need
    /// nil where it is about every server.
    let condition: Condition?
    /// The first version of each branch that has it no more. A product that is not named does not have it.
    let fixed: [Product: [Branch: Version]]
    /// The first version that has it, where older ones do not.
    let from: [Product: Version]
    /// The first package of each release that has it no more.
    let packages: [Release: DebianVersion]
    let summary: String
  }

  /// Those whose versions are told apart.
  enum Product: String, Sendable, CaseIterable {
    case redis, valkey
  }

  /// The newest release of a branch that mends faults, whether they have a number or not.
  struct Floor: Sendable, Equatable {
    let product: Product
    let branch: Branch
    let version: Version
  }

  /// The day after which a branch is mended no more.
  struct Lifetime: Sendable, Equatable {
    let product: Product
    let branch: Branch
    let ended: CalendarDay
  }

  /// How a package's version names the release that it is for, and until when the distribution mends that release.
  struct Support: Sendable, Equatable {
    let release: Release
    /// A part of the package's version: `deb12`.
    let mark: String
    let ended: CalendarDay
  }

  /// A build of a distribution that is known by what INFO says of it.
  struct Build: Sendable, Equatable {
    let id: String
    let package: ServerPackage
  }

  /// The day on which the file was made.
  let asOf: CalendarDay
  let faults: [Fault]
  let floors: [Floor]
  let lifetimes: [Lifetime]
  let supports: [Support]
  let builds: [Build]

  /// The oldest that it may be before the audit says so.
  static let freshDays = 90

  /// Whole days since the file was made; 0 for one of a day to come.
  func ageDays(at now: Double) -> Int { max(0, Int(clamping: ((now - (asOf.end - 86_400)) / 86_400).rounded(.down))) }

  /// `known faults as of 2026-11-30, 3 days old`.
  func ageText(at now: Double) -> String {
    let days = ageDays(at: now)
    return "known faults as of \(asOf), \(days == 1 ? "1 day" : "\(days) days") old"
  }
}
