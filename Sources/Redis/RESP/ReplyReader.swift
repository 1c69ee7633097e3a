import CHiredis

/// Why a reply could not be read.
public enum ReplyError: Error, Equatable, Sendable {
  /// The bytes are not RESP, or nest deeper than eight arrays; hiredis' own words.
  case malformed(String)
  /// The replies are larger than a bound of ``Limits``; which one, and the place of the reply that took most of it.
  case tooLarge(String, reply: Int)
}

/// Reads replies from a stream of bytes with hiredis' parser, into one flat ``Replies``.
///
/// Not safe for use from two threads at once: it belongs to one connection on one event loop.
@safe final class ReplyReader {
  private var reader: UnsafeMutablePointer<redisReader>
  private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>
  /// A structure behind a pointer: hiredis calls back for every value, and a class would check each access.
  private let sink: UnsafeMutablePointer<ReplySink>
  /// Bytes of the replies that are not taken yet, with those that are on their way.
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
      throw .tooLarge("more than \(Limits.replyBytes >> 20) MiB", reply: largestReply)
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
    if fedBytes > Self.keptBytes, unsafe reader.pointee.err == 0 { shrink() }
    let replies = unsafe sink.pointee.take()
    fedBytes = heldBytes
    return replies
  }

  /// The place of the largest reply; of one that is not complete, what has come counts, and what it announced.
  private var largestReply: Int { unsafe sink.pointee.largestReply(unread: reader.pointee.len - reader.pointee.pos) }

  /// Bytes of replies that are not complete, in hiredis' buffer and beside it.
  var heldBytes: Int { unsafe reader.pointee.len + sink.pointee.bytes.count }

  /// hiredis keeps its buffer as large as it ever was, and a thousand connections between two polls would keep a thousand.
  private func shrink() {
    if unsafe reader.pointee.len == reader.pointee.pos, unsafe !sink.pointee.hasPartial {
      unsafe redisReaderFree(reader)
      unsafe reader = Self.makeReader(functions, sink)
    } else if unsafe reader.pointee.pos > 0, let buffer = unsafe reader.pointee.buf {
      // What has come of the next reply stays.
      if unsafe reader.pointee.len == reader.pointee.pos {
        unsafe sdsclear(buffer)
      } else {
        unsafe sdsrange(buffer, Int32(clamping: reader.pointee.pos), -1)
      }
      if let fitted = unsafe sdsRemoveFreeSpace(buffer) { unsafe reader.pointee.buf = fitted }
      unsafe reader.pointee.len -= reader.pointee.pos
      unsafe reader.pointee.pos = 0
    }
  }

  /// After batches of replies up to this size, the buffer is kept for the next.
  private static let keptBytes = 4096

  private func failure() -> ReplyError {
    if let limit = unsafe sink.pointee.exceeded { return .tooLarge(limit, reply: largestReply) }
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
  /// What an array that was refused would have taken.
  private var announced = 0
  /// Where the reply that is being read starts, and its first string.
  private var rootStart = 0
  private var rootBytes = 0
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
      announced = count * MemoryLayout<ReplyNode>.stride
      exceeded = "an array of \(count) elements"
      return nil
    }
    return unsafe push(ReplyNode(kind: .array, count: Int32(count), end: 0, value: 0))
  }

  mutating func add(_ kind: ReplyKind, _ value: Int64) -> UnsafeMutableRawPointer? {
    unsafe push(ReplyNode(kind: kind, count: 0, end: 0, value: value))
  }

  /// - Parameter unread: bytes that have come and are no part of a value yet.
  func largestReply(unread: Int) -> Int {
    var largest = (place: roots.count, weight: unread + nodes[rootStart...].reduce(0) { $0 + $1.weight } + announced)
    for (place, root) in roots.enumerated() {
      let end = place + 1 < roots.count ? Int(roots[place + 1]) : rootStart
      let weight = nodes[Int(root)..<end].reduce(0) { $0 + $1.weight }
      if weight > largest.weight { largest = (place, weight) }
    }
    return largest.place
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
    rootBytes = bytes.count
  }

  mutating func dropPartial() {
    nodes.removeSubrange(rootStart...)
    bytes.removeSubrange(rootBytes...)
  }

  mutating func take() -> Replies {
    // A reply that has only come in part stays behind for the next take, with nothing of those before it. It has come
    // since the last of them was complete, so that copying it costs no more than reading it did.
    let partial = nodes[rootStart...].map { $0.moved(by: -rootBytes) }
    let partialBytes = Array(bytes[rootBytes...])
    dropPartial()
    let replies = Replies(nodes: nodes, bytes: bytes, roots: roots)
    (expectedCount, expectedBytes) = (nodes.count, bytes.count)
    (nodes, bytes, roots) = (partial, partialBytes, [])
    (rootStart, rootBytes) = (0, 0)
    return replies
  }
}

extension ReplyNode {
  fileprivate var weight: Int {
    MemoryLayout<ReplyNode>.stride + (kind == .string || kind == .status || kind == .error ? Int(count) : 0)
  }

  /// The same for bytes that stand elsewhere.
  fileprivate func moved(by distance: Int) -> ReplyNode {
    guard kind == .string || kind == .status || kind == .error else { return self }
    var node = self
    node.value += Int64(distance)
    return node
  }
}
