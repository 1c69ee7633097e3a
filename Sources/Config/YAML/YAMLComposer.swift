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
  let style: YAMLStyle
  private var anchors: [String: Anchored] = [:]
  private var nodeCount = 0

  init(events: YAMLEvents, file: String, limits: YAMLLimits, style: YAMLStyle = .configuration) {
    self.events = events
    self.file = file
    self.limits = limits
    self.style = style
  }

  mutating func document() throws(ConfigError) -> YAMLNode {
    let (root, rest) = try firstDocument()
    if let rest { throw error(rest, "a second document starts here", hint: "keep one document in a file") }
    return root
  }

  /// The first document, and where a second one starts. What cannot be read behind the first counts as a second.
  mutating func firstDocument() throws(ConfigError) -> (root: YAMLNode, second: SourceMark?) {
    _ = try events.next()
    guard case .documentStart = try events.next().kind else {
      return (YAMLNode(content: .scalar("", isPlain: true), mark: SourceMark(line: 1, column: 1)), nil)
    }
    let root = try compose(try events.next(), depth: 0).node
    _ = try events.next()
    do throws(ConfigError) {
      let end = try events.next()
      if case .streamEnd = end.kind { return (root, nil) }
      return (root, end.mark)
    } catch {
      guard style == .prometheus, case .file(_, .some(let mark)) = error.origin else { throw error }
      return (root, mark)
    }
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
    var merged: [YAMLNode.Entry] = []
    height = 1
    while true {
      let event = try events.next()
      if case .mappingEnd = event.kind {
        for entry in merged where lines.updateValue(entry.keyMark.line, forKey: entry.key) == nil {
          entries.append(entry)
        }
        return .mapping(entries)
      }
      let (key, isPlain) = try key(event)
      if isPlain, key == "<<" {
        guard style == .prometheus else {
          throw error(event.mark, "merge keys (<<) are not supported", hint: "write the keys out")
        }
        let value = try compose(try events.next(), depth: depth)
        height = max(height, value.height + 1)
        merged += try mergedEntries(value.node)
        continue
      }
      if let line = lines[key] {
        let name = key.contains("@") ? "a key" : "key \(quoted(key))"
        throw error(event.mark, "\(name) is given twice", hint: "it first stands on line \(line)")
      }
      lines[key] = event.mark.line
      let value = try compose(try events.next(), depth: depth)
      height = max(height, value.height + 1)
      entries.append(YAMLNode.Entry(key: key, keyMark: event.mark, value: value.node))
    }
  }

  /// What `<<` brings in from a mapping or a list of them; of a key that several have the first counts.
  private func mergedEntries(_ node: YAMLNode) throws(ConfigError) -> [YAMLNode.Entry] {
    switch node.content {
    case .mapping(let entries): return entries
    case .sequence(let items):
      var entries: [YAMLNode.Entry] = []
      for item in items {
        guard case .mapping(let found) = item.content else { break }
        entries += found
      }
      return entries
    case .scalar: throw error(node.mark, "a merge key (<<) needs a mapping")
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
      throw error(mark, "the alias has no anchor before it", hint: "put text that starts with * in quotes")
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
      throw error(event.mark, "tags are not supported", hint: "put text that starts with ! in quotes")
    }
    return true
  }

  private func error(_ mark: SourceMark, _ problem: String, hint: String? = nil) -> ConfigError {
    ConfigError(.file(file, mark), problem: problem, hint: hint)
  }
}
