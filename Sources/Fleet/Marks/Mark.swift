import Runtime
import Storage

/// What somebody marked in time: a change, a deploy, an incident. It comes in Grafana's form of an annotation.
public struct Mark: Sendable, Equatable {
  /// What it is about. Raw values are values of the label `kind`; a change opens a maintenance window, and its end closes it.
  public enum Kind: String, Sendable, CaseIterable {
    case change
    case changeEnd = "change-end"
    case deploy, release, incident, test, other
  }

  /// Milliseconds since 1970 at which it came in, or one more than the last: it ascends.
  public internal(set) var id: Int64 = 0
  public let at: WallTime
  /// Nil for a moment.
  public let until: WallTime?
  /// Empty where it is of all workloads.
  public var workload: String
  /// The label `instance` of a node; empty for none.
  public let node: String
  public let kind: Kind
  /// One line.
  public let text: String
  /// As they were given.
  public let tags: [String]

  /// Of the body of a request.
  public static let limitBytes = 4 << 10

  /// Whether its tags name the workload: that of a node alone opens no window.
  private var namesWorkload: Bool { tags.contains { MarkTag($0).name == .workload } }

  /// The maintenance window that it opens, as long as nothing ends it before.
  var window: ChangeWindow? {
    guard kind == .change, namesWorkload, !workload.isEmpty else { return nil }
    let end = until ?? at + ChangeWindow.usualSeconds
    return ChangeWindow(from: at, until: min(end, at + ChangeWindow.longestSeconds), text: text)
  }

  /// Whether it ends windows of its workload that were opened before.
  var endsWindows: Bool { kind == .changeEnd && namesWorkload }

  /// In a sentence.
  var summary: String {
    let span = until.map { " until \(EvidenceText.clock($0))" } ?? ""
    return kind == .other && span.isEmpty ? text : "\(kind.rawValue)\(span): \(text)"
  }

  /// As in Grafana's API, with what its tags say apart.
  public func write(to json: inout JSONWriter) {
    json.object { json in
      json.field("id", Int(clamping: id))
      json.field("time", Int(clamping: at.epochMs))
      json.field("timeEnd", Int(clamping: (until ?? at).epochMs))
      json.field("text", text)
      json.key("tags")
      json.strings(tags)
      json.field("kind", kind.rawValue)
      if !workload.isEmpty { json.field("workload", workload) }
      if !node.isEmpty { json.field("node", node) }
    }
  }
}

/// A tag as far as Redline understands it: `workload:carts`, or the same with `=`.
struct MarkTag {
  enum Name: String { case workload, node, kind }

  /// Nil for one that is only kept.
  let name: Name?
  let value: String

  init(_ text: String) {
    guard let place = text.firstIndex(where: { $0 == ":" || $0 == "=" }),
      let name = Name(rawValue: text[..<place].lowercased())
    else {
      (name, value) = (nil, "")
      return
    }
    self.name = name
    value = String(text[text.index(after: place)...].drop { $0 == " " })
  }
}

// MARK: As it is kept

extension StoredMark {
  init(_ mark: Mark) {
    var tags = JSONWriter()
    tags.strings(mark.tags)
    self.init(
      id: mark.id, atMs: mark.at.epochMs, untilMs: mark.until?.epochMs, workload: mark.workload, node: mark.node,
      kind: mark.kind.rawValue, text: mark.text, tags: String(decoding: tags.bytes, as: UTF8.self))
  }
}

extension Mark {
  init(_ stored: StoredMark) {
    id = stored.id
    at = WallTime(epochMs: stored.atMs)
    until = stored.untilMs.map { WallTime(epochMs: $0) }
    workload = stored.workload
    node = stored.node
    kind = Kind(rawValue: stored.kind) ?? .other
    text = stored.text
    tags = ((try? JSONReader.value(Array(stored.tags.utf8)))?.elements ?? []).compactMap(\.string)
  }

  /// What lists of events and timelines show of it.
  var event: Event {
    let details = JSONWriter.text { json in
      json.object { json in
        json.field("mark", kind.rawValue)
        if let until { json.field("until", until.seconds) }
      }
    }
    return Event(
      at: at, workload: workload, node: node, kind: .mark, summary: summary, details: details, key: "mark/\(id)")
  }
}

/// What an event says of the mark that it tells.
public struct MarkDetails: Sendable {
  public let kind: Mark.Kind
  /// Nil for a moment.
  public let until: WallTime?

  /// - Parameter json: the details of an event.
  /// - Returns: nil where the event is about something else.
  public init?(_ json: JSONValue?) {
    guard let name = json?["mark"]?.string else { return nil }
    kind = Mark.Kind(rawValue: name) ?? .other
    until = json?["until"]?.number.map { WallTime(seconds: $0) }
  }
}
