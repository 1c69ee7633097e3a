import Config
import Runtime
import TestSupport
import Testing

@testable import Fleet

@Suite(.timeLimit(.minutes(1))) struct AdvisoryTests {
  /// Faults of one branch, and of what needs what.
  static let text = """
    {"version": 1, "as_of": "2026-01-01",
     "distributions": [
       {"name": "debian 12", "mark": "deb12u", "ended": "2028-06-30", "source": "https://a", "verified": "2026-01-01"},
       {"name": "debian 11", "mark": "deb11u", "ended": "2024-06-30", "source": "https://a", "verified": "2026-01-01"}],
     "builds": [{"id": "abc", "package": "debian 5:7.0.15-1~deb12u6", "source": "https://a", "verified": "2026-01-01"}],
     "floors": [{"product": "redis", "branch": "7.2", "version": "7.2.16", "source": "https://a", "verified": "2026-01-01"}],
     "end_of_life": [
       {"product": "redis", "branch": "6.0", "ended": "2022-05-31", "source": "https://a", "verified": "2026-01-01"},
       {"product": "redis", "branch": "7.0", "ended": "2024-07-29", "source": "https://a", "verified": "2026-01-01"},
       {"product": "redis", "branch": "8.0", "ended": "2026-12-01", "source": "https://a", "verified": "2026-01-01"}],
     "advisories": [
       {"id": "CVE-1", "severity": "critical", "needs": "EVAL",
        "fixed": {"redis": {"6.2": "6.2.20", "7.2": "7.2.11"}, "valkey": {"8.0": "8.0.6"}},
        "packages": {"debian 12": "5:7.0.15-1~deb12u6"}, "summary": "s", "source": "https://a", "verified": "2026-01-01"},
       {"id": "CVE-2", "severity": "high", "needs": "no login",
        "fixed": {"redis": {"6.2": "6.2.19", "7.2": "7.2.10"}}, "packages": {"debian 12": "5:7.0.15-1~deb12u10"},
        "summary": "s", "source": "https://a", "verified": "2026-01-01"},
       {"id": "CVE-3", "severity": "high", "fixed": {"redis": {"7.2": "7.2.14"}}, "from": {"redis": "7.2.0"},
        "summary": "s", "source": "https://a", "verified": "2026-01-01"},
       {"id": "CVE-4", "severity": "critical", "needs": "no login", "only": "tls", "fixed": {"redis": {"7.2": "7.2.16"}},
        "from": {"redis": "7.2.0"}, "summary": "s", "source": "https://a", "verified": "2026-01-01"},
       {"id": "CVE-5", "severity": "high", "needs": "no login", "only": "cluster",
        "packages": {"debian 12": "5:7.0.15-1~deb12u11"}, "summary": "s", "source": "https://a", "verified": "2026-01-01"},
       {"id": "CVE-6", "severity": "critical", "needs": "no login", "fixed": {"valkey": {"9.0": "9.0.3"}},
        "from": {"valkey": "9.0.0"}, "summary": "s", "source": "https://a", "verified": "2026-01-01"}]}
    """

  static func advisories() throws -> Advisories { try Advisories.parse(Array(text.utf8), file: "f.json") }

  static func server(
    _ version: String, of product: Advisories.Product = .redis, package: String? = nil, build: String? = nil,
    users: AuditAnswer<[AuditUser]> = .known([]), admins: Set<String> = [], unseen: Set<String> = [],
    tls: Bool? = false, cluster: Bool = false
  ) throws -> AdvisoryJudgement {
    let advisories = try advisories()
    let declared = try package.map { text in
      let yaml = "workloads: [{name: w, kind: cache, topology: static, seeds: [a], audit: {package: \"\(text)\"}}]"
      return try #require(try FleetConfig.parse(Array(yaml.utf8), file: "f").workloads[0].audit.package)
    }
    return AdvisoryJudgement(
      advisories: advisories,
      server: .init(
        product: product, version: Version(version), isClusterNode: cluster, servesTLS: tls,
        origin: PackageOrigin(declared: declared, buildID: build, version: Version(version), advisories), users: users,
        admins: admins, inUse: Set((users.value ?? []).map(\.name)).subtracting(unseen), ownUser: "redline"))
  }

  static func users(_ names: String..., can reach: Set<DangerousCommand> = [.eval]) -> AuditAnswer<[AuditUser]> {
    .known(names.map { AuditUser(name: $0, reach: reach) })
  }

  // MARK: Which faults, and who

  @Test func namesTheUsersWhoCan() throws {
    let found = try #require(try Self.server("7.2.10", users: Self.users("api", "default")).faults)
    #expect(found.severity == .critical)
    #expect(
      found.text
        == "runs redis 7.2.10 with CVE-1: users api, default can EVAL; CVE-3: users api, default can log in; 7.2.16 has the fixes"
    )
    #expect(found.key == "CVE-1 CVE-3")
  }

  @Test func adminsAndNobodyAreNoNews() throws {
    let admins = try #require(
      try Self.server("7.2.13", users: Self.users("ops"), admins: ["ops"]).faults)
    #expect(admins.severity == .info && admins.text.contains("CVE-3: only admins can log in") && admins.key == "")
    let nobody = try #require(try Self.server("8.0.5", of: .valkey, users: Self.users("api", can: [.keys])).faults)
    #expect(
      nobody.severity == .info && nobody.text == "runs valkey 8.0.5 with CVE-1: nobody can EVAL; 8.0.6 has the fixes")
  }

  /// Whether a user is on, nobody tells: a `default` that was turned off still has all rights.
  @Test func usersThatNobodyWasSeenAsAreInfo() throws {
    let users = Self.users("api", "default")
    let both = try #require(try Self.server("7.2.13", users: users, unseen: ["default"]).faults)
    #expect(both.severity == .warning && both.text.contains("user api can log in (so can user default, if on)"))
    let alone = try #require(try Self.server("8.0.5", of: .valkey, users: users, unseen: ["api", "default"]).faults)
    #expect(alone.severity == .info && alone.key == "")
    #expect(alone.text.contains("users api, default can EVAL, if on: nobody was seen connected as such"))
    // Redline's own user is nobody who could make use of what needs a login alone.
    #expect(try Self.server("7.2.13", users: Self.users("redline")).faults?.text.contains("nobody can log in") == true)
  }

  @Test func whatIsNotKnownIsSaid() throws {
    let found = try #require(try Self.server("8.0.5", of: .valkey, users: .unknown("+acl|users")).faults)
    #expect(found.severity == .warning && found.text.contains("CVE-1: who can EVAL is unknown: +acl|users"))
  }

  @Test func withoutLoginAndCriticalIsCritical() throws {
    #expect(try Self.server("9.0.2", of: .valkey, users: .unknown("x")).faults?.severity == .critical)
    #expect(try Self.server("9.0.3", of: .valkey).faults == nil)
    #expect(try Self.server("8.1.0", of: .valkey).faults == nil)
  }

  @Test func conditionsHold() throws {
    #expect(try Self.server("7.2.15", tls: false).faults == nil)
    let found = try #require(try Self.server("7.2.15", tls: true).faults)
    #expect(found.severity == .critical && found.text.contains("CVE-4: no login is needed"))
    let unknown = try #require(try Self.server("7.2.15", tls: nil).faults)
    #expect(unknown.severity == .warning)
    #expect(
      unknown.text
        == "runs redis 7.2.15 with CVE-4: no login is needed if it serves TLS, which is unknown; 7.2.16 has the fixes")
  }

  @Test func branchesWithoutAFixHaveTheFault() throws {
    let found = try #require(try Self.server("7.0.4", users: Self.users("api")).faults)
    #expect(found.text.contains("CVE-1") && found.text.contains("no version of 7.0 has all fixes"))
    #expect(try Self.server("8.4.0").faults == nil)
    #expect(try Self.server("6.2.20").faults == nil)
  }

  // MARK: Packages

  @Test func aPackageWithTheFixIsSilent() throws {
    #expect(try Self.server("7.0.15", package: "debian 5:7.0.15-1~deb12u10", users: Self.users("api")).faults == nil)
    let older = try #require(
      try Self.server("7.0.15", package: "debian 5:7.0.15-1~deb12u6", users: Self.users("api")).faults)
    #expect(
      older.text == "runs redis 7.0.15 with CVE-2: no login is needed; 5:7.0.15-1~deb12u10 has the fixes")
  }

  @Test func theBuildTellsThePackage() throws {
    let found = try #require(
      try Self.server("7.0.15", package: "debian 5:7.0.15-1~deb12u10", build: "abc", users: Self.users("api")).faults)
    // The new package is installed; the old program still runs.
    #expect(found.text.hasPrefix("runs redis 7.0.15 with CVE-2: no login is needed"))
  }

  @Test func anUnknownBuildOfAPackagedVersionMayBeMended() throws {
    let found = try #require(try Self.server("7.0.15", build: "xyz", users: Self.users("api")).faults)
    #expect(found.severity == .warning)
    #expect(
      found.text.hasSuffix(
        "your distributor may have fixed it without another version: name the package by audit.package"))
    let other = try #require(
      try Self.server("7.0.4", package: "debian 5:7.0.15-1~deb12u10", users: Self.users("api")).faults)
    #expect(other.severity == .warning && other.text.contains("which is another version"))
    let ubuntu = try #require(
      try Self.server("7.0.15", package: "ubuntu 5:7.0.15-1ubuntu0.24.04.4", users: Self.users("api")).faults)
    #expect(ubuntu.severity == .warning && ubuntu.text.contains("no fixes of ubuntu"))
  }

  @Test func whatAPackageDidWrongIsItsOwn() throws {
    let own = try #require(try Self.server("7.0.15", package: "debian 5:7.0.15-1~deb12u10", cluster: true).faults)
    #expect(own.text.contains("CVE-5") && own.text.contains("5:7.0.15-1~deb12u11 has the fixes"))
    #expect(try Self.server("7.0.15", build: "xyz", cluster: true).faults?.text.contains("CVE-5") == false)
  }

  @Test func floorsTellOfFixesWithoutANumber() throws {
    #expect(
      try Self.server("7.2.15").missingFloor?.text
        == "runs redis 7.2.15, which lacks security fixes that 7.2.16 has")
    #expect(try Self.server("7.2.16").missingFloor == nil)
    #expect(try Self.server("7.2.15", package: "rhel 7.2.15-1.el9").missingFloor == nil)
  }

  // MARK: End of life

  static func time(_ day: String) throws -> Double {
    Double(try #require(Timestamp.parse("\(day)T12:00:00Z")).epochMs) / 1000
  }

  @Test func theEndOfLifeIsTold() throws {
    let now = try Self.time("2026-06-01")
    let ended = try #require(try Self.server("7.0.15").endOfLife(at: now))
    #expect(ended.severity == .warning && ended.text == "runs redis 7.0, which got its last fix by 2024-07-29")
    #expect(
      try Self.server("5.0.14").endOfLife(at: now)?.text == "runs redis 5.0, which is older than 6.0 and gets no fixes")
    #expect(try Self.server("8.0.6").endOfLife(at: now) == nil)
    #expect(try Self.server("9.9.9").endOfLife(at: now) == nil)
    #expect(try Self.server("8.0.6").endOfLife(at: try Self.time("2026-11-30"))?.severity == .info)
    #expect(try Self.server("8.0.6").endOfLife(at: try Self.time("2026-12-01"))?.severity == .info)
    #expect(try Self.server("8.0.6").endOfLife(at: try Self.time("2026-12-02"))?.severity == .warning)
  }

  @Test func aSupportedPackageIsSilent() throws {
    let now = try Self.time("2026-06-01")
    #expect(try Self.server("7.0.15", package: "debian 5:7.0.15-1~deb12u6").endOfLife(at: now) == nil)
    let old = try #require(try Self.server("6.0.16", package: "debian 5:6.0.16-1+deb11u2").endOfLife(at: now))
    #expect(old.severity == .warning && old.text.hasSuffix("and debian 11 by 2024-06-30"))
    #expect(try Self.server("7.0.15", package: "ubuntu 5:7.0.15-1").endOfLife(at: now)?.severity == .info)
    #expect(try Self.server("7.0.4", package: "debian 5:7.0.15-1~deb12u6").endOfLife(at: now)?.severity == .warning)
  }

  // MARK: The file

  @Test func theAgeIsCounted() throws {
    let advisories = try Self.advisories()
    #expect(advisories.ageDays(at: try Self.time("2026-01-01")) == 0)
    #expect(advisories.ageDays(at: try Self.time("2025-12-01")) == 0)
    #expect(advisories.ageDays(at: try Self.time("2026-04-02")) == 91)
    #expect(advisories.ageText(at: try Self.time("2026-01-02")) == "known faults as of 2026-01-01, 1 day old")
  }

  @Test(arguments: [
    ("{", "f.json:1:2: is no JSON: a name in double quotes is expected here"),
    ("{\"version\": 2}", "f.json:1:1: as_of: is missing"),
    (
      "{\"version\": 2, \"as_of\": \"2026-01-01\"}",
      "f.json:1:13: version: \"2\" is a form that this redline does not read; use a file of version 1"
    ),
  ])
  func aWrongFileIsRefused(text: String, error: String) throws {
    let thrown = try #require(throws: ConfigErrors.self) { try Advisories.parse(Array(text.utf8), file: "f.json") }
    #expect(thrown.errors.contains { $0.description == error }, "\(thrown)")
  }

  @Test func everyFieldIsRead() throws {
    let wrong: [(String, String, String)] = [
      (
        "\"severity\": \"critical\", \"needs\": \"EVAL\"", "\"severity\": \"bad\", \"needs\": \"EVAL\"",
        "advisories[0].severity: \"bad\" is not a severity"
      ),
      ("\"needs\": \"EVAL\"", "\"needs\": \"GET\"", "advisories[0].needs: \"GET\" is nothing that reach is known of"),
      ("\"6.2\": \"6.2.20\"", "\"6.2\": \"7.2.20\"", "advisories[0].fixed.redis.6.2: \"7.2.20\" is no version of 6.2"),
      (
        "\"6.2\": \"6.2.20\"", "\"6.2\": \"6.2\"",
        "advisories[0].fixed.redis.6.2: \"6.2\" is no version; write it like 7.2.11"
      ),
      (
        "\"debian 12\": \"5:7.0.15-1~deb12u6\"", "\"debian 10\": \"5:7.0.15-1~deb12u6\"",
        "advisories[0].packages.debian 10: is of no release under distributions"
      ),
      (
        "\"debian 12\": \"5:7.0.15-1~deb12u6\"", "\"debian 12\": \"x\"",
        "advisories[0].packages.debian 12: \"x\" is no version of a package"
      ),
      ("\"id\": \"CVE-2\"", "\"id\": \"CVE-1\"", "advisories[1].id: \"CVE-1\" is in the file twice"),
      (
        "\"summary\": \"s\", \"source\": \"https://a\"", "\"summary\": \"s\", \"source\": \"me\"",
        "advisories[0].source: \"me\" is no address"
      ),
      ("\"only\": \"tls\"", "\"only\": \"ipv6\"", "advisories[3].only: \"ipv6\" is not a condition"),
      ("\"as_of\": \"2026-01-01\"", "\"as_of\": \"2026-13-01\"", "as_of: \"2026-13-01\" is no date"),
      (
        "\"product\": \"redis\", \"branch\": \"7.2\"", "\"product\": \"redis\", \"branch\": \"7\"",
        "floors[0].branch: \"7\" is no branch"
      ),
      ("\"floors\"", "\"flors\"", "unknown key \"flors\"; did you mean \"floors\"?"),
    ]
    for (old, new, error) in wrong {
      let text = Self.text.replacing(old, with: new, maxReplacements: 1)
      #expect(text != Self.text, "\(old)")
      let thrown = try #require(throws: ConfigErrors.self) { try Advisories.parse(Array(text.utf8), file: "f.json") }
      #expect(thrown.errors.contains { $0.description.contains(error) }, "\(error): \(thrown)")
      #expect(thrown.errors.allSatisfy { $0.description.hasPrefix("f.json:") })
    }
  }

  /// What is shipped is read, every row with its source and the day on which it was looked up.
  @Test func theShippedFileIsGood() throws {
    let root = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
    let shipped = try Advisories.load("\(root)/deploy/advisories/redis.json")
    #expect(shipped.faults.count >= 20 && shipped.floors.count >= 10 && shipped.lifetimes.count >= 10)
    for fault in shipped.faults {
      for (product, versions) in fault.fixed {
        // A branch that is mended once has no floor below that.
        for (branch, version) in versions {
          let floor = shipped.floors.first { $0.product == product && $0.branch == branch }
          #expect(floor.map { $0.version >= version } ?? false, "\(fault.id) \(branch)")
        }
      }
    }
  }

  @Test func mutatedTextNeverTraps() throws {
    var random = FixedRandom(state: 17)
    let tokens = ["\"", "{", "}", "[", "]", ":", ",", "null", "1e9", "99999999999999999999", "~", "\u{0}", "debian 12"]
    for _ in 0..<2000 {
      let bytes = mutated(Array(Self.text.utf8), tokens: tokens, using: &random)
      do throws(ConfigErrors) {
        let advisories = try Advisories.parse(bytes, file: "f")
        let server = AdvisoryJudgement.Server(product: .redis, version: Version("7.0.15"))
        let judgement = AdvisoryJudgement(advisories: advisories, server: server)
        _ = (judgement.faults, judgement.missingFloor, judgement.endOfLife(at: 1e9))
      } catch {
        #expect(!error.errors.isEmpty)
      }
    }
  }
}
