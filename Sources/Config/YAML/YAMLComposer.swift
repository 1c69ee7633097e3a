/// Builds the nodes of one document from its events, within the limits.
struct YAMLComposer {
  private struct Anchored {
    let node: YAMLNode
    let nodeCount: Int
    /// Lists and mappings from the node down to its deepest value, itself included.
    let height: Int
  }

  let events: YAMLEvents
  let file: String
  let limits: YAMLLimits
  private var anchors: [String: Anchored] = [:]
  private var nodeCount = 0

  init(events: YAMLEvents, file: String, limits: YAMLLimits) {
    self.events = events
    self.file = file
    self.limits = limits
  }

  mutating func document() throws(ConfigError) -> YAMLNode {
    _ = try events.next()
    guard case .documentStart = try events.next().kind else {
      return YAMLNode(content: .scalar("", isPlain: true), mark: SourceMark(line: 1, column: 1))
    }
    let root = try compose(try events.next(), depth: 0).node
    _ = try events.next()
    let end = try events.next()
    guard case .streamEnd = end.kind else {
      throw error(end.mark, "a second document starts here", hint: "keep one document in a file")
    }
    return root
  }

  private mutating func compose(_ event: YAMLEvent, depth: Int) throws(ConfigError) -> Anchored {
    if case .alias(let name) = event.kind { return try expand(name, at: event.mark, depth: depth) }
    guard depth <= limits.depth else {
      throw error(event.mark, "values are nested deeper than \(limits.depth) levels")
    }
    let before = nodeCount
    try count(1, at: event.mark)
    let isText = try readTag(event)
    var height = 0
    let content: YAMLNode.Content
    switch event.kind {
    case .scalar(let text, let isPlain):
      content = .scalar(text, isPlain: isPlain && !isText)
    case .sequenceStart:
      content = try sequence(depth: depth + 1, height: &height)
    default:
      content = try mapping(depth: depth + 1, height: &height)
    }
    let result = Anchored(
      node: YAMLNode(content: content, mark: event.mark), nodeCount: nodeCount - before, height: height)
    if let anchor = event.anchor { anchors[anchor] = result }
    return result
  }

  private mutating func sequence(depth: Int, height: inout Int) throws(ConfigError) -> YAMLNode.Content {
    var items: [YAMLNode] = []
    height = 1
    while true {
      let event = try events.next()
      if case .sequenceEnd = event.kind { return .sequence(items) }
      let item = try compose(event, depth: depth)
      height = max(height, item.height + 1)
      items.append(item.node)
    }
  }

  private mutating func mapping(depth: Int, height: inout Int) throws(ConfigError) -> YAMLNode.Content {
    var entries: [YAMLNode.Entry] = []
    var lines: [String: Int] = [:]
    height = 1
    while true {
      let event = try events.next()
      if case .mappingEnd = event.kind { return .mapping(entries) }
      let (key, isPlain) = try key(event)
      guard !(isPlain && key == "<<") else {
        throw error(event.mark, "merge keys (<<) are not supported", hint: "write the keys out")
      }
      if let line = lines[key] {
        throw error(event.mark, "key \(quoted(key)) is given twice", hint: "it first stands on line \(line)")
      }
      lines[key] = event.mark.line
      let value = try compose(try events.next(), depth: depth)
      height = max(height, value.height + 1)
      entries.append(YAMLNode.Entry(key: key, keyMark: event.mark, value: value.node))
    }
  }

  private mutating func key(_ event: YAMLEvent) throws(ConfigError) -> (text: String, isPlain: Bool) {
    switch event.kind {
    case .sequenceStart, .mappingStart: break
    default:
      let node = try compose(event, depth: limits.depth).node
      if case .scalar(let text, let isPlain) = node.content { return (text, isPlain) }
    }
    throw error(event.mark, "a key must be a single value, not a list or a mapping")
  }

  /// The value again, charged in full, so that aliases of aliases cannot multiply without bound.
  private mutating func expand(_ name: String, at mark: SourceMark, depth: Int) throws(ConfigError) -> Anchored {
    guard let anchored = anchors[name] else {
      throw error(mark, "alias \(quoted(name)) has no anchor before it")
    }
    guard depth + anchored.height <= limits.depth + 1 else {
      throw error(mark, "values are nested deeper than \(limits.depth) levels")
    }
    try count(anchored.nodeCount, at: mark)
    return anchored
  }

  private mutating func count(_ nodes: Int, at mark: SourceMark) throws(ConfigError) {
    nodeCount += nodes
    guard nodeCount <= limits.nodes else {
      throw error(mark, "the file holds more than \(limits.nodes) values")
    }
  }

  /// True when the tag is `!!str` or `!`, which make a plain value text as quotes do; every other tag is refused.
  private func readTag(_ event: YAMLEvent) throws(ConfigError) -> Bool {
    guard let tag = event.tag else { return false }
    guard case .scalar = event.kind, tag == "tag:yaml.org,2002:str" || tag == "!" else {
      throw error(event.mark, "tag \(quoted(tag)) is not supported", hint: "write the value without a tag")
    }
    return true
  }

  private func error(_ mark: SourceMark, _ problem: String, hint: String? = nil) -> ConfigError {
    ConfigError(.file(file, mark), problem: problem, hint: hint)
  }
}
