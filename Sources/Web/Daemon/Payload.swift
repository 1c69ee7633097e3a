/// The bytes of a body: immutable, shared between the cache and every answer that is being sent.
@safe public final class Payload: @unchecked Sendable {
  private let storage: UnsafeMutableBufferPointer<UInt8>
  public let count: Int

  public convenience init(_ bytes: [UInt8]) {
    var buffer = PayloadBuffer(capacity: bytes.count)
    buffer.append(bytes)
    self.init(taking: buffer)
  }

  init(taking buffer: consuming PayloadBuffer) {
    (unsafe storage, count) = unsafe buffer.relinquish()
  }

  deinit { unsafe storage.deallocate() }

  public var bytes: [UInt8] { unsafe Array(storage[..<count]) }

  /// The address of the first byte, valid as long as the payload lives.
  var baseAddress: UnsafeMutablePointer<UInt8>? { unsafe storage.baseAddress }
}

/// Collects chunks into one ``Payload`` without a further copy at the end.
@safe struct PayloadBuffer: ~Copyable {
  private var storage: UnsafeMutableBufferPointer<UInt8>
  private(set) var count = 0

  init(capacity: Int = 0) {
    unsafe storage = .allocate(capacity: capacity)
  }

  deinit { unsafe storage.deallocate() }

  mutating func append(_ chunk: [UInt8]) {
    unsafe chunk.withUnsafeBufferPointer { chunk in unsafe append(chunk) }
  }

  mutating func append(_ chunk: UnsafeBufferPointer<UInt8>) {
    if unsafe count + chunk.count > storage.count {
      let grown = unsafe UnsafeMutableBufferPointer<UInt8>.allocate(
        capacity: max(count + chunk.count, storage.count * 3 / 2))
      _ = unsafe grown.update(fromContentsOf: storage[..<count])
      unsafe storage.deallocate()
      unsafe storage = grown
    }
    _ = unsafe UnsafeMutableBufferPointer(rebasing: storage[count...]).update(fromContentsOf: chunk)
    count += chunk.count
  }

  fileprivate consuming func relinquish() -> (UnsafeMutableBufferPointer<UInt8>, Int) {
    let parts = unsafe (storage, count)
    discard self
    return unsafe parts
  }
}
