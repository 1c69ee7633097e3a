import TestSupport
import Testing

@testable import Config

@Suite(.timeLimit(.minutes(1))) struct YAMLTests {
  @Test(arguments: Fixtures.names(".good.yml"))
  func goodFileIsRead(name: String) throws {
    _ = try FleetSample.read(Fixtures.bytes(name), file: name)
  }

  /// Each bad file starts with one `# expect: line:column: message` for every error, in order.
  @Test(arguments: Fixtures.names(".bad.yml"))
  func badFileIsRefused(name: String) throws {
    let bytes = try Fixtures.bytes(name)
    let expected = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
      .filter { $0.hasPrefix("# expect: ") }.map { "\(name):" + $0.dropFirst("# expect: ".count) }
    let error = try #require(throws: ConfigErrors.self) { try FleetSample.read(bytes, file: name) }
    #expect(error.errors.map(\.description) == expected)
  }

  @Test func everyFieldArrives() throws {
    let sample = try FleetSample.read(Fixtures.bytes("every-field.good.yml"), file: "every-field.good.yml")
    let expected = FleetSample(
      interval: .milliseconds(1500),
      workloads: [
        FleetSample.Workload(
          name: "carts", kind: .session, addresses: ["10.0.0.1:6379", "[::1]:6380"], isCritical: true, databases: 4,
          share: 0.25, password: .file("/etc/redline/carts"), labels: ["team": "shop", "on": "no"]),
        FleetSample.Workload(
          name: "jobs", kind: .custom, addresses: ["10.0.0.1:6379", "[::1]:6380"], isCritical: false, databases: 16,
          share: 1, password: .literal(Secret("word: # 1")), labels: [:]),
      ],
      certificate: nil)
    #expect(sample == expected)
  }

  @Test func emptyDocumentIsNull() throws {
    #expect(try YAMLNode.parse([], file: "f").isNull)
    #expect(try YAMLNode.parse(Array("# only a comment\n".utf8), file: "f").isNull)
  }

  struct Excess: CustomTestStringConvertible, Sendable {
    let text: String
    let message: String

    init(_ text: String, _ message: String) {
      self.text = text
      self.message = message
    }

    var testDescription: String { "\(text.prefix(24))… \(message)" }
  }

  static let excesses: [Excess] = [
    Excess(String(repeating: "[", count: 40) + String(repeating: "]", count: 40), "nested deeper than 32 levels"),
    Excess(String(repeating: "[", count: 20_000), "nested deeper than 32 levels"),
    Excess("a: &a [1]\n" + nestedAliases(40), "nested deeper than 32 levels"),
    Excess(doublingAliases(25), "holds more than 100000 values"),
    Excess("[" + String(repeating: "1,", count: 100_001) + "]", "holds more than 100000 values"),
    Excess(String(repeating: "# \n", count: 400_000), "larger than 1048576 bytes"),
  ]

  @Test(arguments: excesses)
  func limitHolds(excess: Excess) throws {
    let error = try #require(throws: ConfigErrors.self) { try YAMLNode.parse(Array(excess.text.utf8), file: "f") }
    #expect(error.description.contains(excess.message))
  }

  @Test func mutatedTextNeverCrashes() throws {
    var random = FixedRandom(state: 1)
    let seeds = try (Fixtures.names(".good.yml") + Fixtures.names(".bad.yml")).map { try Fixtures.bytes($0) }
    let tokens = ["&a ", "*a", "[", "{", "- ", ": ", "\t", "|\n", ">-\n", "!!int ", "---\n", "\u{FEFF}", "'", "\"\\x"]
    for _ in 0..<3_000 {
      let text = mutated(seeds.randomElement(using: &random)!, tokens: tokens, using: &random)
      do {
        _ = try FleetSample.read(text, file: "f")
      } catch {
        #expect(!error.errors.isEmpty)
        #expect(!error.description.contains("hunter2"))
      }
    }
  }

  private static func nestedAliases(_ count: Int) -> String {
    (0..<count).map { "k\($0): &n\($0) [*\($0 == 0 ? "a" : "n\($0 - 1)")]\n" }.joined()
  }

  private static func doublingAliases(_ count: Int) -> String {
    "k: &n0 [1]\n" + (1..<count).map { "k\($0): &n\($0) [*n\($0 - 1), *n\($0 - 1)]\n" }.joined()
  }
}
