import Config
import PromQL
import Testing

@testable import Alerting

@Suite(.timeLimit(.minutes(1))) struct RuleLintTests {
  static let catalogue = MetricCatalogue(
    [
      .init("redis_up", .gauge, bounds: 0...1), .init("redis_memory_used_bytes", .gauge),
      .init("redis_memory_max_bytes", .gauge),
      .init("redis_slowlog_length", .gauge), .init("redis_slowlog_last_id", .growingGauge),
      .init("redis_connected_clients", .gauge, bounds: 1...Double.infinity), .init("redis_connected_slaves", .gauge),
      .init("redis_total_system_memory_bytes", .gauge), .init("redis_keyspace_hits_total", .counter),
      .init("redis_keyspace_misses_total", .counter),
      .init("redis_db_keys", .gauge, labels: ["db"], forms: ["db": .database]),
      .init("redis_commands_total", .counter, labels: ["cmd"], forms: ["cmd": .lowercase]),
      .init("redis_commands_latencies_usec", .summary, labels: ["cmd"]), .init("redis_evicted_keys_total", .counter),
      .init("redis_failovers_total", .counter, labels: ["kind"]),
      .init("redis_instance_info", .gauge, labels: ["role", "redis_version"], values: ["role": ["master", "slave"]]),
      .init("redis_instance_role", .gauge, labels: ["instance", "role"], values: ["role": ["master", "replica"]]),
      .init("redis_command_latency_seconds", .histogram, labels: ["cmd"]),
    ], targetLabels: ["job", "instance", "workload"], zeroMeansUnlimited: ["redis_memory_max_bytes"],
    zeroOnReplicas: ["redis_connected_slaves"])
  static let settings = RuleLintSettings(
    catalogue: catalogue, pollIntervalMilliseconds: 5000, historyMilliseconds: 48 * 3_600_000)

  @Test func everyFindingSaysWhyAndWhatInstead() throws {
    let path = "\(Fixtures.folder)/lint/findings.yml"
    let file = try RuleFile.load(path)
    let findings = RuleFile.findings(in: [file], settings: Self.settings) + file.duplicates
    let text = Fixtures.withoutFolders(findings.map { "\($0)\n" }.joined())
    #expect(try text == Fixtures.golden("\(Fixtures.folder)/lint/findings.txt", of: text))
    #expect(Set(findings.map(\.kind)) == Set(RuleFinding.Kind.allCases))
  }

  @Test func soundRulesAreLeftAlone() throws {
    let file = try RuleFile.load("\(Fixtures.folder)/lint/clean.yml")
    #expect(RuleFile.findings(in: [file], settings: Self.settings).map(\.description) == [])
    #expect(file.duplicates.isEmpty)
  }

  /// Each dialect keeps edges and percentiles in its own form.
  @Test(
    arguments: [
      ("99", .prometheus3, true), ("99", .prometheus2, false), ("99.0", .prometheus3, false),
      ("99.0", .prometheus2, true), ("99.9", .prometheus3, false), ("99.9", .prometheus2, false),
      ("p99", .prometheus2, true),
    ] as [(String, Dialect, Bool)])
  func percentilesAreKeptInTheFormOfTheDialect(_ value: String, _ dialect: Dialect, _ isFound: Bool) throws {
    let text =
      "groups: [{name: g, rules: [{alert: A, expr: 'redis_commands_latencies_usec{quantile=\"\(value)\"} > 1'}]}]"
    let file = try RuleFile.parse(Array(text.utf8), file: "r.yml", dialect: dialect)
    let settings = RuleLintSettings(catalogue: Self.catalogue, dialect: dialect)
    #expect(RuleFile.findings(in: [file], settings: settings).map(\.kind) == (isFound ? [.neverExportedValue] : []))
  }

  @Test func withoutSettingsNothingOfTheExporterIsSaid() throws {
    let file = try RuleFile.load("\(Fixtures.folder)/lint/findings.yml")
    #expect(RuleFile.findings(in: [file], settings: nil).isEmpty)
  }
}
