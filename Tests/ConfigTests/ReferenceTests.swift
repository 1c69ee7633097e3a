import Testing

@testable import Config

/// The reference is made of what the reader of the file asks for: nothing that can be written is left out, nothing in
/// it is refused.
@Suite(.timeLimit(.minutes(1))) struct ReferenceTests {
  static let keys = FleetConfig.keys

  @Test func everyKeyHasAMeaning() {
    #expect(Self.keys.count > 100)
    for key in Self.keys {
      #expect(key.meaning.hasSuffix(".") && key.meaning.first?.isUppercase == true, "\(key.path): \(key.meaning)")
    }
    #expect(Set(Self.keys.map(\.path)).count == Self.keys.count)
  }

  /// What good files write stands in the reference, and each key of the reference is written by one of them.
  @Test func filesWriteTheKeysOfTheReference() throws {
    let paths = Set(Self.keys.map(\.path))
    let named: Set = [
      "workloads[].labels", "defaults.labels", "workloads[].aliases", "rules.external_labels", "regions",
    ]
    var written: Set<String> = []
    for name in Fixtures.names(".good.yml", in: "fleet") {
      Self.addPaths(of: try YAMLNode.parse(Fixtures.bytes(name), file: name), at: "", named: named, to: &written)
    }
    #expect(written.subtracting(paths) == [])
    #expect(paths.subtracting(written) == [])
  }

  @Test func defaultsTellOfKinds() throws {
    func shown(_ path: String) -> String? { Self.keys.first { $0.path == path }?.default }
    #expect(shown("workloads[].poll_interval") == "`5s`")
    #expect(shown("workloads[].watches.stuck.enabled") == "`false` (cache, session, custom); `true` (queue)")
    #expect(shown("workloads[].objectives.hit_ratio") == "`0.8` (cache); `off` (session, queue, custom)")
    #expect(shown("workloads[].peak.objectives.hit_ratio") == "`0.85` (cache); `off` (session, queue, custom)")
    #expect(shown("workloads[].persistence.rdb") == "`false` (cache); `true` (session); `any` (queue, custom)")
    #expect(
      shown("workloads[].topology") == "`cluster` (cache); `sentinel` (session); `replication` (queue); none (custom)")
  }

  @Test func textIsATableForEachMapping() {
    let text = FleetConfig.referenceText
    #expect(text.contains("\n## `workloads[].peak.objectives`\n"))
    #expect(
      text.contains(
        "| `name` | name | 1 to 63 letters, digits, `.`, `-` and `_`, a letter or digit first | **required** |"))
  }

  private static func addPaths(of node: YAMLNode, at path: String, named: Set<String>, to found: inout Set<String>) {
    switch node.content {
    case .scalar: break
    case .sequence(let items): for item in items { addPaths(of: item, at: "\(path)[]", named: named, to: &found) }
    case .mapping(let entries):
      guard !named.contains(path) else { return }
      for entry in entries {
        let key = path.isEmpty ? entry.key : "\(path).\(entry.key)"
        found.insert(key)
        addPaths(of: entry.value, at: key, named: named, to: &found)
      }
    }
  }
}
