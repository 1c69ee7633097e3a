import Glibc

/// One request and its answer, from the request line to the last byte.
///
/// The daemon's thread and the handler's task both touch it, always under the daemon's gate.
@safe final class Exchange: @unchecked Sendable {
  enum Phase {
    /// The request line has been read.
    case arriving
    /// The headers have been read, the body is on its way.
    case receiving
    /// The handler has begun, on the daemon's thread.
    case starting
    /// The connection is suspended, the handler works.
    case waiting
    /// The handler has answered, the daemon's thread is to send it.
    case answered(Response)
    /// The answer is being sent.
    case sending
    /// The daemon has forgotten the request.
    case over
  }

  let target: String
  /// The daemon's handle, valid until ``Phase/over``.
  let handle: OpaquePointer
  var phase = Phase.arriving
  var body: [UInt8] = []
  var isBodyTooLong = false
  var task: Task<Void, Never>?

  init(target: String, handle: OpaquePointer) {
    self.target = target
    unsafe self.handle = handle
  }

  var isArriving: Bool {
    if case .arriving = phase { true } else { false }
  }

  var isWaiting: Bool {
    if case .waiting = phase { true } else { false }
  }
}

/// The bytes of a body: immutable, shared between the cache and every answer that is being sent.
@safe public final class Payload: @unchecked Sendable {
  private let storage: UnsafeMutablePointer<UInt8>?
  public let count: Int
  private let companion: (any AnyObject & Sendable)?

  /// - Parameter companion: lives as long, such as a reservation of the memory.
  public convenience init(_ bytes: [UInt8], holding companion: (any AnyObject & Sendable)? = nil) {
    var buffer = PayloadBuffer(capacity: bytes.count)
    buffer.append(bytes)
    self.init(taking: buffer, holding: companion)
  }

  init(taking buffer: consuming PayloadBuffer, holding companion: (any AnyObject & Sendable)? = nil) {
    (unsafe storage, count) = unsafe buffer.relinquish()
    self.companion = companion
  }

  deinit { unsafe free(storage) }

  /// The same bytes compressed; what lives as long as these lives as long as those.
  func gzipped() -> Payload {
    var gzip = Gzip()
    gzip.append(self)
    return gzip.finish(holding: companion)
  }

  public var bytes: [UInt8] { unsafe Array(UnsafeBufferPointer(start: storage, count: count)) }

  /// The address of the first byte, valid as long as the payload lives.
  var baseAddress: UnsafeMutablePointer<UInt8>? { unsafe storage }
}

/// Collects chunks into one ``Payload`` without a further copy at the end.
///
/// It grows by `realloc`, which moves large memory without copying it: the page of a whole fleet has some 100 MB.
@safe struct PayloadBuffer: ~Copyable {
  private var storage: UnsafeMutablePointer<UInt8>?
  private var capacity = 0
  private(set) var count = 0

  init(capacity: Int = 0) {
    unsafe storage = nil
    resize(to: capacity)
  }

  deinit { unsafe free(storage) }

  private mutating func resize(to wanted: Int) {
    let wanted = max(1, wanted)
    let memory = unsafe realloc(storage, wanted)
    precondition(unsafe memory != nil, "no memory for a page of \(wanted) bytes")
    unsafe storage = memory?.assumingMemoryBound(to: UInt8.self)
    capacity = wanted
  }

  mutating func append(_ chunk: [UInt8]) {
    unsafe chunk.withUnsafeBufferPointer { chunk in unsafe append(chunk) }
  }

  mutating func append(_ chunk: UnsafeBufferPointer<UInt8>) {
    guard let source = chunk.baseAddress else { return }
    let count = chunk.count
    if self.count + count > capacity { resize(to: max(self.count + count, capacity * 3 / 2)) }
    unsafe (storage! + self.count).update(from: source, count: count)
    self.count += count
  }

  fileprivate consuming func relinquish() -> (UnsafeMutablePointer<UInt8>?, Int) {
    if count < capacity * 3 / 4 { resize(to: count) }
    let parts = unsafe (storage, count)
    discard self
    return unsafe parts
  }
}
