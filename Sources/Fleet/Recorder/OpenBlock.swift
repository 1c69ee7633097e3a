import Runtime

/// Records, one after another.
struct RecordList {
  private(set) var content = ByteWriter()
  var byteCount: Int { content.bytes.count }

  mutating func add(_ kind: RecordKind, _ record: ByteWriter) {
    content.add(kind.rawValue)
    content.add(record.bytes)
  }

  mutating func add(_ others: RecordList) { content.bytes += others.content.bytes }

  mutating func removeAll() { content.bytes.removeAll(keepingCapacity: true) }
}

/// Records that are in no file yet, and what it takes to code the next ones: each is told as its difference from the one before
/// it of the same server.
///
/// It stands under a lock that polls wait for, so nothing in it waits for a file.
struct OpenBlock {
  private final class Server {
    let number: Int
    let node: RecordedNode
    var transcriber = PollTranscriber()
    var began: Int64 = 0
    var ended: Int64 = 0
    var isProbeAnswered: Bool?
    /// The segment that knows its number.
    var segment = 0

    init(_ number: Int, _ node: RecordedNode) {
      self.number = number
      self.node = node
    }
  }

  private var records = RecordList()
  /// The record that is being written.
  private var scratch = ByteWriter()
  private var room = PollTranscriber.Room()
  private var servers: [ObjectIdentifier: Server] = [:]
  private var serverCount = 0
  private var judgements: [String: RecordedJudgement] = [:]
  private var segment = 0
  /// Polls among them.
  private var pollCount = 0

  var byteCount: Int { records.byteCount }

  /// Begins what a file begins with, so that it can be read alone. Each server is told whole with its next poll.
  mutating func beginSegment(_ texts: [FlightRecorder.Text]) {
    _ = take()
    segment += 1
    for text in texts {
      append(.text) { output in
        output.add(text.name)
        output.add(text.bytes)
      }
    }
    for (_, judgement) in judgements.sorted(by: { $0.key < $1.key }) { append(.judgement) { judgement.write(to: &$0) } }
  }

  /// Empties the block.
  mutating func take() -> (bytes: [UInt8], pollCount: Int) {
    defer { (records, pollCount) = (RecordList(), 0) }
    return (records.content.bytes, pollCount)
  }

  mutating func append(_ kind: RecordKind, _ body: (inout ByteWriter) -> Void) {
    scratch.bytes.removeAll(keepingCapacity: true)
    body(&scratch)
    records.add(kind, scratch)
  }

  mutating func append(_ others: RecordList) { records.add(others) }

  // MARK: Servers

  private mutating func known(_ node: RecordedNode) -> Server {
    let id = ObjectIdentifier(node)
    if let known = servers[id] { return known }
    serverCount += 1
    let server = Server(serverCount, node)
    servers[id] = server
    return server
  }

  /// The server, whose number the segment knows from here on.
  private mutating func named(_ node: RecordedNode) -> Server {
    let server = known(node)
    guard server.segment != segment else { return server }
    server.segment = segment
    server.transcriber.restart()
    (server.began, server.ended) = (0, 0)
    append(.node) { node.write(server.number, to: &$0) }
    if let isAnswered = server.isProbeAnswered { addProbe(server.number, isAnswered) }
    return server
  }

  private mutating func addProbe(_ number: Int, _ isAnswered: Bool) {
    append(.probe) { output in
      output.add(number)
      output.add(isAnswered ? 1 : 0)
    }
  }

  mutating func add(_ poll: RecordedPoll, of node: RecordedNode) {
    let server = named(node)
    let (began, ended) = (Int64(clamping: poll.began.seconds * 1000), poll.ended.epochMs)
    scratch.bytes.removeAll(keepingCapacity: true)
    scratch.add(server.number)
    scratch.add(signed: began - server.began)
    scratch.add(signed: ended - server.ended)
    scratch.add(Int(clamping: poll.durationSeconds * 1e6))
    scratch.add(poll.state == .up ? 0 : TargetState.names.firstIndex(of: poll.state.name) ?? 1)
    if let replies = poll.replies { server.transcriber.write(replies, at: poll.began, using: &room, to: &scratch) }
    records.add(.poll, scratch)
    (server.began, server.ended) = (began, ended)
    pollCount += 1
  }

  mutating func add(probeAnswered isAnswered: Bool, of node: RecordedNode) {
    know(probeAnswered: isAnswered, of: node)
    let server = known(node)
    // Where the segment hears of the server for the first time, that says it.
    if server.segment == segment { addProbe(server.number, isAnswered) } else { _ = named(node) }
  }

  /// For the segments that follow.
  mutating func know(probeAnswered isAnswered: Bool, of node: RecordedNode) {
    known(node).isProbeAnswered = isAnswered
  }

  mutating func add(gone node: RecordedNode) {
    guard let server = forget(node), server.segment == segment else { return }
    append(.gone) { $0.add(server.number) }
  }

  @discardableResult
  private mutating func forget(_ node: RecordedNode) -> Server? { servers.removeValue(forKey: ObjectIdentifier(node)) }

  /// For the segments that follow.
  mutating func know(gone node: RecordedNode) { forget(node) }

  // MARK: Workloads

  mutating func add(_ judgement: RecordedJudgement) {
    if let known = judgements[judgement.workload], known.saysTheSame(as: judgement) { return }
    know(judgement)
    append(.judgement) { judgement.write(to: &$0) }
  }

  /// For the segments that follow.
  mutating func know(_ judgement: RecordedJudgement) { judgements[judgement.workload] = judgement }
}
