import Compression
import Redis
import Runtime

/// One thing of a recording.
public enum RecordedEvent: Sendable {
  /// A segment begins: what is known of servers, pages and alerts begins again with it.
  case segment(startMilliseconds: Int64)
  /// A configuration, a rule file or what else every segment begins with.
  case text(FlightRecorder.Text)
  case poll(ReplayedPoll)
  case probe(isAnswered: Bool, RecordedNode)
  case gone(RecordedNode)
  /// All series that rules read, by their sources. Sources keep their number while they are there.
  case page([Int: RecordedSource], atMilliseconds: Int64)
  case evaluation(RecordedEvaluation)
  case judgement(RecordedJudgement)
  case dropped(Int)
  case shift(milliseconds: Int64)
}

/// A poll as it is read back.
public struct ReplayedPoll: Sendable {
  public let node: RecordedNode
  /// By a clock that only goes forward, from an arbitrary beginning.
  public let began: Monotonic
  public let ended: WallTime
  public let durationSeconds: Double
  /// A value of the label `state`.
  public let state: String
  /// nil for a poll that failed.
  let transcript: Transcript?
}

/// Reads what a ``FlightRecorder`` wrote: a folder of segments, or one of them.
///
/// Nothing in a file is trusted: lengths are compared with what is there and with bounds, and a part that is damaged ends
/// its segment; the next is read all the same.
public struct Recording: Sendable {
  static let nodeLimit = 1 << 20
  private static let segmentLimit = 10_000
  private static let fileLimit = 1 << 32
  private static let textLimit = 16 << 20

  /// The files, the oldest first.
  public let files: [String]

  /// - Throws: for a path that is no recording.
  public init(_ path: String) throws(FileProblem) {
    guard Folder.isOne(path) else {
      files = [path]
      return
    }
    let names = SmallFile.names(inDirectory: path, limit: Self.segmentLimit)
      .filter { $0.hasSuffix(SegmentLayout.suffix) }
    func order(_ name: String) -> (Int64, String) { (Int64(name.prefix { $0 != "-" }) ?? 0, name) }
    files = names.sorted { order($0) < order($1) }.map { "\(path)/\($0)" }
    if files.isEmpty { throw FileProblem(reason: "there is no file *\(SegmentLayout.suffix) in it") }
  }

  /// Hands out everything in its order.
  ///
  /// - Parameter milliseconds: segments that end before it are passed over, since 1970.
  /// - Returns: what could not be read, a sentence each.
  public func read(
    since milliseconds: Int64 = .min, _ body: (RecordedEvent) throws -> Void
  ) throws -> [String] {
    var problems: [String] = []
    for (index, file) in files.enumerated() {
      if index + 1 < files.count, let next = Self.start(of: files[index + 1]), next < milliseconds { continue }
      let bytes: [UInt8]
      do throws(FileProblem) { bytes = try RegularFile.bytes(file, limitBytes: Self.fileLimit) } catch {
        problems.append("\(file) cannot be read: \(error.reason)")
        continue
      }
      if let problem = try Self.read(bytes, body) { problems.append("\(file): \(problem)") }
    }
    return problems
  }

  private static func start(of file: String) -> Int64? {
    SmallFile.bytes(file, limit: SegmentLayout.headerBytes).flatMap { try? SegmentLayout.startMilliseconds($0[...]) }
  }

  /// - Returns: why it was not read to its end.
  static func read(_ bytes: [UInt8], _ body: (RecordedEvent) throws -> Void) throws -> String? {
    let start: Int64
    do throws(RecordingDamage) { start = try SegmentLayout.startMilliseconds(bytes[...]) } catch {
      return error.description
    }
    try body(.segment(startMilliseconds: start))
    var reader = SegmentReader()
    var place = SegmentLayout.headerBytes
    while place < bytes.count {
      let start = place
      let events: [RecordedEvent]
      do throws(RecordingDamage) { events = try reader.events(try block(bytes, at: &place)) } catch {
        return "\(bytes.count - start) bytes from byte \(start) on are left out: \(error)"
      }
      for event in events { try body(event) }
    }
    return nil
  }

  private static func block(_ bytes: [UInt8], at place: inout Int) throws(RecordingDamage) -> [UInt8] {
    guard bytes.count - place >= SegmentLayout.blockHeaderBytes else { throw RecordingDamage("a block is cut off") }
    let header = bytes[place..<(place + SegmentLayout.blockHeaderBytes)]
    let kept = SegmentLayout.number(header)
    let restored = SegmentLayout.number(header.dropFirst(4))
    let start = place + SegmentLayout.blockHeaderBytes
    guard kept <= bytes.count - start else { throw RecordingDamage("a block is cut off") }
    guard restored <= SegmentLayout.blockLimit else { throw RecordingDamage("a block is too long") }
    let content = bytes[start..<(start + kept)]
    guard Int(SegmentLayout.hash(content)) == SegmentLayout.number(header.dropFirst(8)) else {
      throw RecordingDamage("a block is damaged")
    }
    guard let records = try? Deflate.restored(Array(content), limit: restored) else {
      throw RecordingDamage("a block is damaged")
    }
    place = start + kept
    return records
  }
}

/// Reads the records of one segment.
private struct SegmentReader {
  private struct NodeState {
    let node: RecordedNode
    var last = Transcript()
    var began: Int64 = 0
    var ended: Int64 = 0
  }
  private var nodes: [Int: NodeState] = [:]
  private var sources: [Int: RecordedSource] = [:]
  private var stamp = 0

  private static let textLimit = 16 << 20

  mutating func events(_ records: [UInt8]) throws(RecordingDamage) -> [RecordedEvent] {
    var input = ByteReader(records)
    var events: [RecordedEvent] = []
    while !input.isAtEnd {
      let kind = try input.number()
      var content = try input.part(upTo: records.count)
      // What a later version adds is passed over.
      guard let kind = RecordKind(rawValue: kind) else { continue }
      if let event = try event(kind, &content) { events.append(event) }
    }
    return events
  }

  private mutating func event(_ kind: RecordKind, _ input: inout ByteReader) throws(RecordingDamage) -> RecordedEvent? {
    switch kind {
    case .node:
      let (number, node) = try RecordedNode.read(&input)
      guard nodes.count < Recording.nodeLimit else { throw RecordingDamage("more servers than there may be") }
      nodes[number] = NodeState(node: node)
      return nil
    case .poll: return .poll(try poll(&input))
    case .probe:
      let node = try known(&input)
      return .probe(isAnswered: try input.number() == 1, nodes[node]!.node)
    case .gone:
      let node = try known(&input)
      defer { nodes[node] = nil }
      return .gone(nodes[node]!.node)
    case .source:
      stamp += 1
      try PageWriter.read(&input, stamp: stamp, into: &sources)
      return nil
    case .page: return .page(sources, atMilliseconds: try input.signed())
    case .evaluation: return .evaluation(try RecordedEvaluation(&input))
    case .text:
      let name = try input.string(upTo: 4096)
      return .text(FlightRecorder.Text(name: name, bytes: try input.text(upTo: Self.textLimit)))
    case .judgement: return .judgement(try RecordedJudgement(&input))
    case .dropped: return .dropped(try input.count(upTo: .max >> 1))
    case .shift: return .shift(milliseconds: try input.signed())
    }
  }

  private func known(_ input: inout ByteReader) throws(RecordingDamage) -> Int {
    let number = try input.count(upTo: Recording.nodeLimit)
    guard nodes[number] != nil else { throw RecordingDamage("a server that nothing is known of") }
    return number
  }

  private mutating func poll(_ input: inout ByteReader) throws(RecordingDamage) -> ReplayedPoll {
    let number = try known(&input)
    guard var state = nodes.removeValue(forKey: number) else { throw RecordingDamage("a poll of nobody") }
    state.began = state.began &+ (try input.signed())
    state.ended = state.ended &+ (try input.signed())
    let microseconds = try input.count(upTo: 1 << 50)
    let place = try input.count(upTo: TargetState.names.count - 1)
    var transcript: Transcript?
    if !input.isAtEnd {
      let read = try TranscriptDelta.read(&input, after: state.last)
      (transcript, state.last) = (read, read)
    }
    nodes[number] = state
    return ReplayedPoll(
      node: state.node, began: Monotonic(seconds: Double(state.began) / 1000), ended: WallTime(epochMs: state.ended),
      durationSeconds: Double(microseconds) / 1e6, state: TargetState.names[place], transcript: transcript)
  }
}
