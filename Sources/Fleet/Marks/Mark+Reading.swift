import Runtime

extension Mark {
  /// A mark that was read, and what was done to it.
  public struct Read: Sendable {
    public var mark: Mark
    /// What its sender should know: what was cut, hidden or not understood.
    public var notices: [String] = []
  }

  private static let fields = ["time", "timeEnd", "tags", "text"]
  /// What Grafana's API takes beside those, and what means nothing here.
  private static let ignored: Set<String> = ["dashboardId", "dashboardUID", "panelId", "isRegion"]
  /// How far from now a mark may be: one of a wrong clock would be seen by nobody, or open a window when nobody expects it.
  private static let reachSeconds = 7.0 * 86_400
  private static let textBytes = 400
  private static let tagLimit = 20
  private static let tagBytes = 128

  /// Reads Grafana's form of an annotation, from anybody.
  ///
  /// - Throws: the first thing that is wrong with it.
  public static func read(_ bytes: [UInt8], now: WallTime) throws(IntakeError) -> Read {
    let json: JSONValue
    do throws(JSONError) {
      json = try JSONReader.value(bytes, limits: JSONReader.Limits(bytes: limitBytes, depth: 4))
    } catch {
      throw IntakeError("the mark", "is no JSON: \(error)", hint: "write one object with text and tags")
    }
    guard case .object(let members) = json else {
      throw IntakeError(
        "the mark", "is no object", hint: "write { \"text\": \"deploy 4711\", \"tags\": [\"workload:carts\"] }")
    }
    if let unknown = members.first(where: { !fields.contains($0.name) && !ignored.contains($0.name) }) {
      throw IntakeError(
        "the mark", value: unknown.name, "is no field of a mark", hint: "it has \(fields.joined(separator: ", "))")
    }
    var notices: [String] = []
    let at = try time(json, "time", now) ?? now.toMilliseconds
    let end = try time(json, "timeEnd", now)
    if let end, end < at {
      throw IntakeError("timeEnd", "lies before time", hint: "give its end, or leave it out for a moment")
    }
    let text = try text(json, &notices)
    let tags = try tags(json, &notices)
    let named = try named(tags)
    if let name = named[.node], name.utf8.count > ForeignText.hostByteLimit {
      throw IntakeError("tags", "name a node by more than 255 bytes", hint: "write node:HOST:PORT as on its page")
    }
    var kind = Kind.other
    if let name = named[.kind]?.lowercased() {
      if let known = Kind(rawValue: name) {
        kind = known
      } else {
        let names = Kind.allCases.map(\.rawValue).joined(separator: ", ")
        notices.append("kind \"\(oneLine(name.cut(toBytes: 60)))\" is none of \(names): it counts as other")
      }
    }
    let mark = Mark(
      at: at, until: end == at && kind != .change ? nil : end, workload: named[.workload] ?? "",
      node: named[.node] ?? "", kind: kind, text: text, tags: tags)
    if kind == .change || kind == .changeEnd, named[.workload] == nil {
      notices.append(
        "no tag names a workload, so that it is a mark alone: write workload:NAME for its maintenance window")
    }
    if let window = mark.window, let end, window.until < end {
      notices.append("a maintenance window lasts at most 4 h: it ends at \(EvidenceText.clock(window.until)) UTC")
    }
    return Read(mark: mark, notices: notices)
  }

  private static func time(_ json: JSONValue, _ field: String, _ now: WallTime) throws(IntakeError) -> WallTime? {
    guard let value = json[field], value != .null, value != .number(0) else { return nil }
    let hint = "give milliseconds since 1970, as `date +%s%3N` does, or leave it out for now"
    guard let number = value.number, number > 0 else { throw IntakeError(field, "is no time", hint: hint) }
    let at = WallTime(epochMs: Int64(clamping: number))
    let shown = "\(Int64(clamping: number))"
    // Near now in another unit, it is no clock that is wrong.
    for (unit, factor) in [("seconds", 1.0), ("microseconds", 1e6), ("nanoseconds", 1e9)]
    where abs(number / factor - now.seconds) <= reachSeconds {
      throw IntakeError(field, value: shown, "is in \(unit)", hint: hint)
    }
    guard abs(at - now) <= reachSeconds else {
      throw IntakeError(
        field, value: shown, "is more than 7 days \(at < now ? "ago" : "ahead")",
        hint: "\(hint); it is \(now.epochMs) here: set the clocks of both machines")
    }
    return at
  }

  private static func text(_ json: JSONValue, _ notices: inout [String]) throws(IntakeError) -> String {
    let hint = "say in a sentence what is marked"
    guard let value = json["text"] else { throw IntakeError("text", "is missing", hint: hint) }
    guard let given = value.string else { throw IntakeError("text", "is no text", hint: hint) }
    let text = shown(given, "text", upToBytes: textBytes, &notices)
    guard !text.isEmpty else { throw IntakeError("text", "is empty", hint: hint) }
    return text
  }

  private static func tags(_ json: JSONValue, _ notices: inout [String]) throws(IntakeError) -> [String] {
    guard let value = json["tags"], value != .null else { return [] }
    let hint = "write [\"workload:carts\", \"kind:deploy\"]"
    guard case .array(let elements) = value else { throw IntakeError("tags", "is no list", hint: hint) }
    if elements.count > tagLimit { notices.append("only the first \(tagLimit) tags are kept") }
    var tags: [String] = []
    for element in elements.prefix(tagLimit) {
      guard let given = element.string else { throw IntakeError("tags", "has an entry that is no text", hint: hint) }
      let tag = shown(given, "a tag", upToBytes: tagBytes, &notices)
      if !tag.isEmpty, !tags.contains(tag) { tags.append(tag) }
    }
    return tags
  }

  /// What the tags say that are understood.
  private static func named(_ tags: [String]) throws(IntakeError) -> [MarkTag.Name: String] {
    var named: [MarkTag.Name: String] = [:]
    for tag in tags.map({ MarkTag($0) }) {
      guard let name = tag.name, !tag.value.isEmpty else { continue }
      if let other = named[name], other != tag.value {
        throw IntakeError(
          "tags", value: tag.value, "is a second \(name.rawValue)", hint: "send a mark for each, or none for all")
      }
      named[name] = tag.value
    }
    return named
  }

  /// A text as it is kept: one line, bounded, without secrets.
  private static func shown(
    _ given: String, _ name: String, upToBytes limit: Int, _ notices: inout [String]
  ) -> String {
    // Texts of several lines are usual.
    var line = String(given.unicodeScalars.map { "\n\r\t".unicodeScalars.contains($0) ? " " : Character($0) })
    line = String(line.drop { $0 == " " })
    while line.last == " " { line.removeLast() }
    let plain = oneLine(line)
    if plain != line { notices.append("\(name): characters that nobody sees were replaced") }
    let masked = KnownSecrets.masked(plain, sparesWords: true)
    if masked != plain { notices.append("\(name): a secret that redline knows was hidden: do not send it") }
    let text = masked.cut(toBytes: limit)
    if text != masked { notices.append("\(name): cut to \(limit) bytes") }
    return text
  }
}
