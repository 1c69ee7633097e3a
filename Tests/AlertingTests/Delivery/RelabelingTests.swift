import Config
import Testing

@testable import Alerting

struct RelabelingTests {
  /// A configuration with these steps, each a mapping in flow style.
  static func config(_ steps: [String], _ lines: [String] = []) throws -> AlertingConfig {
    let text = """
      alerting:
        alertmanagers: [{url: "http://localhost:9093"}]
      \(lines.map { "  \($0)\n" }.joined())  relabel:
      \(steps.map { "    - \($0)\n" }.joined())
      workloads: [{name: w, kind: cache, seeds: [a]}]
      """
    return try #require(try FleetConfig.parse(Array(text.utf8), file: "redline.yml", watches: []).alerting)
  }

  static func apply(_ steps: String..., to labels: [String: String]) throws -> [String: String]? {
    try Relabeling(config(steps).relabel, file: "redline.yml").apply(labels)
  }

  struct Row: Sendable, CustomTestStringConvertible {
    let step: String
    let expected: [String: String]?
    var testDescription: String { step }

    init(_ step: String, _ expected: [String: String]?) {
      self.step = step
      self.expected = expected
    }
  }

  static let labels = ["alertname": "A", "instance": "redis-1:6379", "team": "Core"]

  static func with(_ more: [String: String], without gone: String? = nil) -> [String: String] {
    labels.merging(more) { $1 }.filter { $0.key != gone }
  }

  static let rows = [
    Row(
      "{source_labels: [instance], regex: '(.+):\\d+', target_label: host, replacement: '$1'}",
      with(["host": "redis-1"])),
    Row("{source_labels: [instance], regex: 'redis', target_label: host}", labels),
    Row(
      "{source_labels: [instance], regex: '(?P<h>[a-z]+)-.*', target_label: '${h}_name', replacement: 'x${h}'}",
      with(["redis_name": "xredis"])),
    Row("{source_labels: [alertname, team], separator: '/', target_label: both}", with(["both": "A/Core"])),
    Row("{source_labels: [alertname, none], target_label: both}", with(["both": "A;"])),
    Row("{source_labels: [team], target_label: team, replacement: ''}", with([:], without: "team")),
    Row("{target_label: zone, replacement: eu}", with(["zone": "eu"])),
    Row("{source_labels: [instance], target_label: '${1}', regex: '(.*)'}", labels),
    Row("{action: keep, source_labels: [team], regex: 'Co.*'}", labels),
    Row("{action: keep, source_labels: [team], regex: 'Co'}", nil),
    Row("{action: drop, source_labels: [team], regex: 'core|Core'}", nil),
    Row("{action: drop, source_labels: [none], regex: '.+'}", labels),
    Row("{action: labeldrop, regex: 'inst.*|team'}", ["alertname": "A"]),
    Row("{action: labelkeep, regex: 'alertname|team'}", with([:], without: "instance")),
    Row("{action: labelmap, regex: '(t)eam', replacement: '${1}_x'}", with(["t_x": "Core"])),
    Row("{action: labelmap, regex: 'te'}", labels),
    Row("{action: lowercase, source_labels: [team], target_label: team}", with(["team": "core"])),
    Row("{action: uppercase, source_labels: [team], target_label: loud}", with(["loud": "CORE"])),
    Row("{action: hashmod, source_labels: [instance], modulus: 1000, target_label: shard}", with(["shard": "186"])),
    Row("{action: keepequal, source_labels: [team], target_label: alertname}", nil),
    Row("{action: dropequal, source_labels: [team], target_label: alertname}", labels),
    Row("{action: keepequal, source_labels: [none], target_label: none_either}", labels),
  ]

  @Test(arguments: rows) func step(row: Row) throws {
    #expect(try Self.apply(row.step, to: Self.labels) == row.expected)
  }

  @Test func stepsFollowOneAnother() throws {
    let labels = try Self.apply(
      "{source_labels: [team], target_label: a}", "{source_labels: [a], target_label: b, replacement: 'x$1'}",
      "{action: labeldrop, regex: 'a|team|instance'}", to: Self.labels)
    #expect(labels == ["alertname": "A", "b": "xCore"])
  }

  /// A letter whose other case is several letters stays.
  @Test func caseChangesLetterByLetter() throws {
    let labels = try Self.apply("{action: uppercase, source_labels: [a], target_label: a}", to: ["a": "straße é"])
    #expect(labels == ["a": "STRAßE É"])
  }

  @Test func badExpressionNamesItsPlace() throws {
    let config = try Self.config(["{target_label: a}", "{action: drop, source_labels: [a], regex: '(b'}"])
    let error = #expect(throws: ConfigErrors.self) { try Notifier.check(config, file: "redline.yml") }
    #expect(
      error?.description
        == "redline.yml:5:49: alerting.relabel[1].regex: \"(b\" is no regular expression; missing ): (b")
  }

  /// The digests of RFC 1321, A.5.
  @Test(arguments: [
    ("", "d41d8cd98f00b204e9800998ecf8427e"), ("abc", "900150983cd24fb0d6963f7d28e17f72"),
    ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
    (
      "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
      "57edf4a22be3c955ac49da2e2107b67a"
    ),
  ])
  func digests(text: String, digest: String) {
    let hex = md5(Array(text.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    #expect(hex == digest)
  }
}
