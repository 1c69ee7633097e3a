import Config
import PromQL
import TestSupport
import Testing

@testable import Alerting

@Suite(.timeLimit(.minutes(1))) struct RuleFileTests {
  @Test(arguments: Fixtures.paths(".good.yml", in: "rules"))
  func goodFileIsRead(path: String) throws {
    _ = try RuleFile.load(path)
  }

  /// The errors beside each bad file are all that is wrong with it, in the order of the file.
  @Test(arguments: Fixtures.paths(".bad.yml", in: "rules"))
  func badFileIsRefused(path: String) throws {
    let errors = try #require(throws: ConfigErrors.self) { try RuleFile.load(path) }
    let text = Fixtures.withoutFolders("\(errors)\n")
    #expect(try text == Fixtures.golden(String(path.dropLast(3)) + "txt", of: text))
  }

  @Test func everyKeyIsKept() throws {
    let file = try RuleFile.load("\(Fixtures.folder)/rules/every-key.good.yml")
    #expect(file.groups.map(\.name) == ["alerts", "none", "empty list"])
    let group = file.groups[0]
    #expect(group.intervalMilliseconds == 30_000)
    #expect(group.queryOffsetMilliseconds == 60_000)
    #expect(group.limit == 10)
    #expect(file.groups[2].intervalMilliseconds == nil)
    guard case .alerting(let alert) = group.rules[0], case .recording(let record) = group.rules[1] else {
      Issue.record("an alert and a recording rule are expected")
      return
    }
    #expect(alert.name == "Down")
    #expect(alert.forMilliseconds == 90_000)
    #expect(alert.keepFiringForMilliseconds == 300_000)
    // The rule's own label wins over the group's.
    let labels = [
      "severity": "page", "empty": "", "number": "7", "instance": "{{ $labels.instance | toUpper }}", "team": "cache",
    ]
    #expect(alert.labels.mapValues(\.text) == labels)
    #expect(alert.annotations.mapValues(\.text) == ["summary": "{{ $labels.instance }} is down"])
    #expect(record.name == "job:redis_up:sum")
    #expect(record.query.description == "sum by (job) (redis_up)")
    #expect(record.labels == ["level": "job", "team": "cache", "severity": "ticket"])
  }

  @Test func mergeKeysAreFollowed() throws {
    let rules = try RuleFile.load("\(Fixtures.folder)/rules/merge.good.yml").groups[0].rules
    #expect(rules.map(\.name) == ["A", "B", "C"])
    #expect(rules.map(\.query.text) == ["up == 0\n", "up == 0\n", "up == 0\n"])
    #expect(rules[2].labels == ["severity": "page", "team": "x"])
    guard case .alerting(let rule) = rules[2] else {
      Issue.record("an alert is expected")
      return
    }
    // Of two mappings merged the first counts.
    #expect(rule.forMilliseconds == 300_000)
  }

  @Test func onlyTheFirstDocumentCounts() throws {
    let file = try RuleFile.load("\(Fixtures.folder)/rules/two-documents.good.yml")
    #expect(file.ruleCount == 1)
    #expect(file.remarks.count == 1)
  }

  static let ofVersion3 = [
    "groups: [{name: a, query_offset: 1m}]", "groups: [{name: a, labels: {a: b}}]",
    "groups: [{name: a, rules: [{record: a.b, expr: '1'}]}]",
    "groups: [{name: a, rules: [{record: a, expr: '1', labels: {a-b: c}}]}]",
    "groups: [{name: a, rules: [{alert: a, expr: '1', annotations: {a-b: c}}]}]",
    "groups: [{name: a, rules: [{record: a, expr: 'vector(1_000)'}]}]",
  ]

  @Test(arguments: ofVersion3)
  func prometheus2KnowsLess(text: String) throws {
    _ = try RuleFile.parse(Array(text.utf8), file: "a.yml", dialect: .prometheus3)
    #expect(throws: ConfigErrors.self) {
      try RuleFile.parse(Array(text.utf8), file: "a.yml", dialect: .prometheus2)
    }
  }

  /// Reading must never trap, and what it takes must be a file of rules.
  @Test func mutatedFilesAreSurvived() throws {
    var random = FixedRandom(state: 11)
    let sources = try (Fixtures.paths(".yml", in: "rules") + Fixtures.paths(".yml", in: "lint")).map(Fixtures.text)
    let tokens = [
      "- ", ": ", "{", "}", "[", "]", "&a ", "*a", "<<: ", "|\n", "\"", "'", "\n", "  ", "---\n", "{{", "}}", "!",
    ]
    var goodCount = 0
    for _ in 0..<1500 {
      let bytes = mutated(Array(sources.randomElement(using: &random)!.utf8), tokens: tokens, using: &random)
      guard let file = try? RuleFile.parse(bytes, file: "fuzz.yml") else { continue }
      goodCount += 1
      _ = RuleFile.findings(in: [file], settings: RuleLintTests.settings)
      _ = file.duplicates
    }
    #expect(goodCount > 50)
  }

  /// The files stay as they are for Prometheus; the daemon's links lead to where its configuration says that it is.
  @Test func linksLeadToTheDaemon() throws {
    let text = """
      groups:
      - name: g
        rules:
        - alert: A
          expr: up
          annotations:
            runbook_url: http://redline:9121/runbooks/A
            dashboard: http://redline:9121
            other: http://redline:91210/a
            wiki: https://wiki.example.org/http://redline:9121/a
      """
    func annotations(_ url: String?) throws -> [String: String] {
      let file = try RuleFile.parse(Array(text.utf8), file: "a.yml", externalURL: url)
      guard case .alerting(let rule) = file.groups[0].rules[0] else { return [:] }
      return rule.annotations.mapValues(\.text)
    }
    let linked = try annotations("https://redline.example.org/b/")
    #expect(linked["runbook_url"] == "https://redline.example.org/b/runbooks/A")
    #expect(linked["dashboard"] == "https://redline.example.org/b")
    #expect(linked["other"] == "http://redline:91210/a")
    #expect(linked["wiki"] == "https://wiki.example.org/http://redline:9121/a")
    #expect(try annotations(nil)["runbook_url"] == "http://redline:9121/runbooks/A")
  }
}
