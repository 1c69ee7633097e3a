extension WorkloadConfig {
  /// The workload on one line, as a scenario of the tests has it: without its name, its people and what translates
  /// addresses.
  public var scenarioText: String {
    var yaml = YAMLWriter()
    yaml.workload(self, hasLogins: false)
    guard let node = try? YAMLNode.parse(Array(yaml.text.utf8), file: "scenario"),
      case .mapping(let entries) = node.content
    else { return "{}" }
    let left: Set<String> = [
      "name", "environment", "team", "labels", "aliases", "address_rewrites", "members", "watches", "maintenance",
    ]
    return Self.mapping(entries.filter { !left.contains($0.key) })
  }

  private static func mapping(_ entries: [YAMLNode.Entry]) -> String {
    "{" + entries.map { "\(YAMLWriter.scalar($0.key)): \(flow($0.value))" }.joined(separator: ", ") + "}"
  }

  private static func flow(_ node: YAMLNode) -> String {
    switch node.content {
    case .scalar(let text, _): text.contains(":") ? "\"\(text)\"" : YAMLWriter.scalar(text)
    case .sequence(let nodes): "[" + nodes.map { flow($0) }.joined(separator: ", ") + "]"
    case .mapping(let entries): mapping(entries)
    }
  }
}
