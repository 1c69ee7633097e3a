import Config
import PromQL
import Testing

@testable import Alerting

@Suite(.timeLimit(.minutes(1))) struct RuleLintTests {
  static let catalogue = MetricCatalogue(
    [
      .init("redis_up", .gauge), .init("redis_memory_used_bytes", .gauge), .init("redis_memory_max_bytes", .gauge),
      .init("redis_slowlog_length", .gauge), .init("redis_slowlog_last_id", .growingGauge),
      .init("redis_connected_clients", .gauge), .init("redis_evicted_keys_total", .counter),
      .init("redis_failovers_total", .counter, labels: ["kind"]),
      .init("redis_instance_info", .gauge, labels: ["role", "redis_version"], values: ["role": ["master", "slave"]]),
      .init("redis_instance_role", .gauge, labels: ["instance", "role"], values: ["role": ["master", "replica"]]),
      .init("redis_command_latency_seconds", .histogram, labels: ["cmd"]),
    ], targetLabels: ["job", "instance", "workload"], zeroMeansUnlimited: ["redis_memory_max_bytes"])
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

  @Test func withoutSettingsNothingOfTheExporterIsSaid() throws {
    let file = try RuleFile.load("\(Fixtures.folder)/lint/findings.yml")
    #expect(RuleFile.findings(in: [file], settings: nil).isEmpty)
  }
}
