import Config
import Runtime
import Testing

@testable import Drills

/// Each guard, and somebody who tries to get past it.
@Suite struct GuardTests {
  static let monitor = "credentials: {user: watcher, password: w}"
  static let own = "drill: {credentials: {user: driller, password: d}}"

  static func workload(_ more: String, name: String = "carts") throws -> WorkloadConfig {
    let text = "workloads:\n  - {name: \(name), kind: custom, topology: static, seeds: [a], \(more)}\n"
    return try #require(try FleetConfig.parse(Array(text.utf8), file: "fleet", watches: []).workloads.first)
  }

  static func rules(_ more: String) throws -> [DisruptionGuard.Rule] {
    try DisruptionGuard(workload(more)).refusals().map(\.rule)
  }

  @Test func nobodyIsTouchedWhoDoesNotAllowIt() throws {
    #expect(try Self.rules("environment: test, \(Self.own)") == [.disruptive])
    #expect(try Self.rules("environment: test, disruptive: refused, \(Self.own)") == [.disruptive])
    #expect(try Self.rules("environment: test, disruptive: allowed, \(Self.own)") == [])
  }

  @Test func theLoginOfTheMonitorDoesNotServe() throws {
    let allowed = "environment: test, disruptive: allowed"
    #expect(try Self.rules(allowed) == [.login])
    #expect(try Self.rules("\(allowed), drill: {}") == [.login])
    #expect(try Self.rules("\(allowed), \(Self.monitor), \(Self.own)") == [])
    // The same user by another password file.
    #expect(
      try Self.rules("\(allowed), \(Self.monitor), drill: {credentials: {user: watcher, password_file: /other}}") == [
        .login
      ])
    // The monitor has no login: it is `default`, by that name, too.
    #expect(try Self.rules("\(allowed), drill: {credentials: {user: default, password: d}}") == [.login])
    #expect(try Self.rules("\(allowed), credentials: {password: w}, drill: {credentials: {password: d}}") == [.login])
  }

  @Test func sentinelsHaveALoginOfTheirOwnToo() throws {
    func rules(_ sentinel: String, _ more: String) throws -> [DisruptionGuard.Rule] {
      let text = """
        workloads:
          - name: carts
            kind: session
            sentinel: {master_name: m, seeds: [s]\(sentinel)}
            environment: test
            disruptive: allowed
            drill: {credentials: {user: driller, password: d}\(more)}
        """
      let config = try FleetConfig.parse(Array(text.utf8), file: "fleet", watches: [])
      return DisruptionGuard(config.workloads[0]).refusals().map(\.rule)
    }
    let login = ", credentials: {user: watcher, password: w}"
    #expect(try rules("", "") == [])
    #expect(try rules(login, "") == [.login])
    #expect(try rules(login, ", sentinel_credentials: {user: watcher, password_env: OTHER}") == [.login])
    #expect(try rules(login, ", sentinel_credentials: {user: driller, password: d}") == [])
  }

  @Test(arguments: ["prod", "production", "PROD-eu", "Production", " prod", "1-prod", "prod2", "\u{2014}"])
  func productionIsKnownByItsName(name: String) { #expect(DisruptionGuard.mayBeProduction(name)) }

  @Test(arguments: ["test", "staging", "pre-prod", "lab"])
  func othersAreNotProduction(name: String) { #expect(!DisruptionGuard.mayBeProduction(name)) }

  @Test func productionIsConfirmedAtATerminalAlone() throws {
    for environment in ["", "environment: production, "] {
      let guards = DisruptionGuard(try Self.workload("\(environment)disruptive: allowed, \(Self.own)"))
      func rules(_ given: String?, _ typed: String?) -> [DisruptionGuard.Rule] {
        guards.refusals(TypedConfirmation(given: given, typed: typed)).map(\.rule)
      }
      #expect(rules(nil, nil) == [.environment])
      #expect(rules(nil, "carts") == [.environment])
      #expect(rules("carts", nil) == [.environment])
      #expect(rules("carts", "yes") == [.environment])
      #expect(rules("carts", "carts ") == [.environment])
      #expect(rules("other", "other") == [.environment])
      #expect(rules("carts", "carts") == [])
    }
    let test = DisruptionGuard(try Self.workload("environment: test, disruptive: allowed, \(Self.own)"))
    #expect(test.refusals(TypedConfirmation(given: nil, typed: nil)) == [])
  }

  @Test func nobodyIsAskedForAnotherName() {
    var questions = 0
    func obtained(_ given: String?) -> TypedConfirmation {
      TypedConfirmation.obtained(given: given, for: "carts", to: "It is killed.") { _ in
        questions += 1
        return "carts"
      }
    }
    #expect(obtained(nil).typed == nil)
    #expect(obtained("other").typed == nil)
    #expect(questions == 0)
    #expect(obtained("carts") == TypedConfirmation(given: "carts", typed: "carts"))
    #expect(questions == 1)
  }

  // MARK: Servers

  static func server(
    _ workload: String, _ address: String, _ runID: String?, node: String? = nil
  ) -> GuardEvidence.Server {
    GuardEvidence.Server(workload: workload, environment: nil, address: address, runID: runID, nodeID: node)
  }

  static func rules(
    _ servers: [GuardEvidence.Server], production: [String] = ["shop"], critical: [String] = [], more: String = ""
  ) throws -> [DisruptionGuard.Rule] {
    let guards = DisruptionGuard(try workload("environment: test, disruptive: allowed, \(own)\(more)"))
    let evidence = GuardEvidence(servers: servers, production: production, critical: critical)
    return guards.refusals(evidence, at: Timestamp(WallTime(seconds: 1_800_000_000))).map(\.rule)
  }

  @Test func noServerOfProductionIsTouchedByAnotherName() throws {
    let mine = Self.server("carts", "127.0.0.1:1", "r1")
    #expect(try Self.rules([mine, Self.server("shop", "10.0.0.1:1", "r2")]) == [])
    // Another address, or a name, of the same process.
    #expect(try Self.rules([mine, Self.server("shop", "localhost:1", "r1")]) == [.shared])
    // It does not answer production's login, and is known by its address.
    let silent = Self.server("shop", "127.0.0.1:1", nil)
    #expect(try Self.rules([mine, silent, Self.server("shop", "10.0.0.2:1", "r2")]) == [.shared])
    // A node of the same cluster that was restarted between the looks.
    #expect(
      try Self.rules([
        Self.server("carts", "127.0.0.1:1", "r1", node: "n1"), Self.server("shop", "10.0.0.1:1", "r2", node: "n1"),
      ]) == [.shared])
    // Nothing is known of production.
    #expect(try Self.rules([mine]) == [.shared])
    #expect(try Self.rules([mine], production: []) == [])
    // Nothing is known of the workload itself.
    #expect(try Self.rules([Self.server("carts", "127.0.0.1:1", nil)], production: []) == [.shared])
    #expect(try Self.rules([Self.server("carts", "127.0.0.1:1", "")], production: []) == [.shared])
  }

  @Test func nothingIsAddedToWhatIsCritical() throws {
    let mine = [Self.server("carts", "127.0.0.1:1", "r1")]
    #expect(try Self.rules(mine, production: [], critical: ["No member answers"]) == [.critical])
    let peak = ", peak: {windows: [2027-01-15T00:00:00Z/2027-01-16T00:00:00Z]}"
    #expect(try Self.rules(mine, production: [], more: peak) == [.peak])
  }

  @Test func whatWasLookedAtIsKnownByItsProcesses() {
    let evidence = GuardEvidence(
      servers: [Self.server("carts", "a:1", "r1"), Self.server("shop", "b:1", "r2"), Self.server("carts", "c:1", nil)],
      production: [], critical: [])
    #expect(evidence.runIDs(of: "carts") == ["r1"])
  }
}
