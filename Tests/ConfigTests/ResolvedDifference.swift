@testable import Config

/// What the resolved text of a configuration says that its kinds and topologies do not bring: a key that comes new to all
/// workloads then changes one fixture, not each of them.
enum ResolvedDifference {
  static func text(of fleet: FleetConfig) throws -> String {
    var yaml = YAMLWriter()
    for entry in try entries(of: fleet.resolvedText) {
      guard entry.key == "workloads", case .sequence(let workloads) = entry.value.content else {
        write(entry, to: &yaml)
        continue
      }
      try yaml.mappings("workloads", workloads.map(difference)) { yaml, entries in
        for entry in entries { write(entry, to: &yaml) }
      }
    }
    return yaml.text
  }

  /// Without what the same workload has when it says no more than it must.
  private static func difference(_ workload: YAMLNode) throws -> [YAMLNode.Entry] {
    let own = entries(workload)
    var least = YAMLWriter()
    least.mappings("workloads", [own]) { yaml, own in
      for entry in own where ["name", "kind", "topology", "seeds"].contains(entry.key) { write(entry, to: &yaml) }
      for entry in own where entry.key == "sentinel" {
        yaml.mapping("sentinel") { yaml in
          for entry in entries(entry.value) where ["master_name", "seeds"].contains(entry.key) {
            write(entry, to: &yaml)
          }
        }
      }
    }
    let resolved = try FleetConfig.parse(Array(least.text.utf8), file: "least").resolvedText
    guard
      case .sequence(let brought)? = try entries(of: resolved).first(where: { $0.key == "workloads" })?.value.content
    else { return own }
    let identity = own.filter { ["name", "kind"].contains($0.key) }
    return identity + difference(own.filter { !["name", "kind"].contains($0.key) }, from: entries(brought[0]))
  }

  private static func difference(_ own: [YAMLNode.Entry], from others: [YAMLNode.Entry]) -> [YAMLNode.Entry] {
    own.compactMap { entry in
      guard let other = others.first(where: { $0.key == entry.key }) else { return entry }
      if isSame(entry.value, other.value) { return nil }
      guard case .mapping(let inner) = entry.value.content, case .mapping(let outer) = other.value.content else {
        return entry
      }
      let rest = YAMLNode(content: .mapping(difference(inner, from: outer)), mark: entry.value.mark)
      return YAMLNode.Entry(key: entry.key, keyMark: entry.keyMark, value: rest)
    }
  }

  /// Whether they say the same, wherever they stand.
  private static func isSame(_ left: YAMLNode, _ right: YAMLNode) -> Bool {
    switch (left.content, right.content) {
    case (.scalar(let left, _), .scalar(let right, _)): left == right
    case (.sequence(let left), .sequence(let right)): left.count == right.count && zip(left, right).allSatisfy(isSame)
    case (.mapping(let left), .mapping(let right)):
      left.map(\.key) == right.map(\.key) && zip(left, right).allSatisfy { isSame($0.value, $1.value) }
    default: false
    }
  }

  private static func entries(of text: String) throws -> [YAMLNode.Entry] {
    entries(try YAMLNode.parse(Array(text.utf8), file: "resolved"))
  }

  private static func entries(_ node: YAMLNode) -> [YAMLNode.Entry] {
    if case .mapping(let entries) = node.content { entries } else { [] }
  }

  private static func write(_ entry: YAMLNode.Entry, to yaml: inout YAMLWriter) {
    switch entry.value.content {
    case .scalar(let text, _): yaml.field(entry.key, text)
    case .mapping(let inner): yaml.mapping(entry.key) { yaml in for entry in inner { write(entry, to: &yaml) } }
    case .sequence(let items):
      let texts = items.compactMap { if case .scalar(let text, _) = $0.content { text } else { nil } }
      if texts.count == items.count {
        yaml.list(entry.key, texts)
      } else {
        yaml.mappings(entry.key, items) { yaml, item in for entry in entries(item) { write(entry, to: &yaml) } }
      }
    }
  }
}
