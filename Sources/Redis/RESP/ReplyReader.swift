import CHiredis

/// Why a reply could not be read.
public enum ReplyError: Error, Equatable, Sendable {
  /// The bytes are not RESP, or nest deeper than eight arrays; hiredis' own words.
  case malformed(String)
  /// The reply is larger than a bound of ``Limits``; which one.
  case tooLarge(String)
}

/// Reads replies from a stream of bytes with hiredis' parser, into one flat ``Replies``.
///
/// Not safe for use from two threads at once: it belongs to one connection on one event loop.
@safe final class ReplyReader {
  private var reader: UnsafeMutablePointer<redisReader>
  private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>
  /// A structure behind a pointer: hiredis calls back for every value, and a class would check each access.
  private let sink: UnsafeMutablePointer<ReplySink>
  private var fedBytes = 0

  init() {
    unsafe sink = .allocate(capacity: 1)
    unsafe sink.initialize(to: ReplySink())
    unsafe functions = .allocate(capacity: 1)
    unsafe functions.initialize(
      to: redisReplyObjectFunctions(
        createString: { task, bytes, count in
          let kind: ReplyKind =
            switch unsafe task!.pointee.type {
            case REDIS_REPLY_ERROR: .error
            case REDIS_REPLY_STATUS: .status
            default: .string
            }
          return unsafe replySink(of: task).pointee.addString(
            kind, UnsafeRawBufferPointer(start: bytes, count: count))
        },
        createArray: { task, count in unsafe replySink(of: task).pointee.addArray(Int(count)) },
        createInteger: { task, value in unsafe replySink(of: task).pointee.add(.integer, value) },
        createNil: { task in unsafe replySink(of: task).pointee.add(.null, 0) },
        freeObject: { _ in }))
    unsafe reader = Self.makeReader(functions, sink)
  }

  private static func makeReader(
    _ functions: UnsafeMutablePointer<redisReplyObjectFunctions>, _ sink: UnsafeMutablePointer<ReplySink>
  ) -> UnsafeMutablePointer<redisReader> {
    let reader = unsafe redisReaderCreateWithFunctions(functions)!
    unsafe reader.pointee.privdata = UnsafeMutableRawPointer(sink)
    return unsafe reader
  }

  deinit {
    unsafe redisReaderFree(reader)
    unsafe functions.deallocate()
    unsafe sink.deinitialize(count: 1)
    unsafe sink.deallocate()
  }

  /// How many top-level replies are complete and not yet taken.
  var completeCount: Int { unsafe sink.pointee.roots.count }

  /// Takes in bytes and reads every reply that is now complete.
  ///
  /// - Throws: ``ReplyError``; the reader is then of no further use, but complete replies can still be taken.
  func feed(_ bytes: UnsafeRawBufferPointer) throws(ReplyError) {
    fedBytes += bytes.count
    guard fedBytes <= Limits.replyBytes else {
      throw .tooLarge("more than \(Limits.replyBytes >> 20) MiB of replies")
    }
    guard
      unsafe redisReaderFeed(
        reader, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count) == REDIS_OK
    else { throw failure() }
    while true {
      var complete: UnsafeMutableRawPointer?
      guard unsafe redisReaderGetReply(reader, &complete) == REDIS_OK else {
        unsafe sink.pointee.dropPartial()
        throw failure()
      }
      guard unsafe complete != nil else { return }
      unsafe sink.pointee.completeRoot()
    }
  }

  /// The complete replies, leaving the reader ready for those of the next batch.
  func take() -> Replies {
    let wasLarge = fedBytes > Self.keptBytes
    fedBytes = 0
    // hiredis keeps its buffer, and a thousand connections between two polls would keep a thousand.
    if wasLarge, unsafe !sink.pointee.hasPartial, unsafe reader.pointee.err == 0,
      unsafe reader.pointee.len == reader.pointee.pos
    {
      unsafe redisReaderFree(reader)
      unsafe reader = Self.makeReader(functions, sink)
    }
    return unsafe sink.pointee.take()
  }

  /// After batches of replies up to this size, the buffer is kept for the next.
  private static let keptBytes = 4096

  private func failure() -> ReplyError {
    if let limit = unsafe sink.pointee.exceeded { return .tooLarge(limit) }
    let text = unsafe withUnsafeBytes(of: reader.pointee.errstr) { raw in
      unsafe String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
    }
    return .malformed(text)
  }
}

private func replySink(of task: UnsafePointer<redisReadTask>?) -> UnsafeMutablePointer<ReplySink> {
  unsafe task!.pointee.privdata!.assumingMemoryBound(to: ReplySink.self)
}

/// What hiredis' callbacks write to.
private struct ReplySink {
  var nodes: [ReplyNode] = []
  var bytes: [UInt8] = []
  var roots: [Int32] = []
  /// The bound that was passed, once one was.
  var exceeded: String?
  /// Where the reply that is being read starts.
  private var rootStart = 0
  /// What the last batch needed, and the next is likely to need; reserved when it begins.
  private var expectedCount = 0
  private var expectedBytes = 0

  /// Whether a reply has begun and is not complete.
  var hasPartial: Bool { nodes.count > rootStart }

  mutating func addString(_ kind: ReplyKind, _ content: UnsafeRawBufferPointer) -> UnsafeMutableRawPointer? {
    let start = bytes.count
    if start == 0 { bytes.reserveCapacity(expectedBytes) }
    unsafe bytes.append(contentsOf: content)
    return unsafe push(
      ReplyNode(kind: kind, count: Int32(content.count), end: 0, value: Int64(start)))
  }

  mutating func addArray(_ count: Int) -> UnsafeMutableRawPointer? {
    guard count <= Limits.arrayElements else {
      exceeded = "an array of \(count) elements"
      return nil
    }
    return unsafe push(ReplyNode(kind: .array, count: Int32(count), end: 0, value: 0))
  }

  mutating func add(_ kind: ReplyKind, _ value: Int64) -> UnsafeMutableRawPointer? {
    unsafe push(ReplyNode(kind: kind, count: 0, end: 0, value: value))
  }

  /// hiredis takes nil for "out of memory"; what else the pointer is does not matter to it.
  private mutating func push(_ node: ReplyNode) -> UnsafeMutableRawPointer? {
    guard nodes.count < Limits.replyValues else {
      exceeded = "more than \(Limits.replyValues) values"
      return nil
    }
    if nodes.isEmpty { nodes.reserveCapacity(expectedCount) }
    nodes.append(node)
    return unsafe UnsafeMutableRawPointer(bitPattern: 1)
  }

  mutating func completeRoot() {
    for index in (rootStart..<nodes.count).reversed() {
      var end = Int32(index + 1)
      if nodes[index].kind == .array {
        for _ in 0..<nodes[index].count { end = nodes[Int(end)].end }
      }
      nodes[index].end = end
    }
    roots.append(Int32(rootStart))
    rootStart = nodes.count
  }

  mutating func dropPartial() {
    nodes.removeSubrange(rootStart...)
  }

  mutating func take() -> Replies {
    // A reply of which only a part has come stays behind for the next take.
    let partial = Array(nodes[rootStart...])
    let replies = Replies(
      nodes: partial.isEmpty ? nodes : Array(nodes[..<rootStart]), bytes: bytes, roots: roots)
    expectedCount = nodes.count
    expectedBytes = bytes.count
    nodes = []
    roots = []
    rootStart = 0
    if partial.isEmpty {
      bytes = []
    } else {
      nodes = partial
    }
    return replies
  }
}
