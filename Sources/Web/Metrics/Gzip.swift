import CIsal

/// Compresses chunk by chunk into one gzip body with ISA-L, level 1: pages are large, repetitive and read once.
@safe struct Gzip: ~Copyable {
  private let stream: UnsafeMutablePointer<isal_zstream>
  private var output = PayloadBuffer(capacity: 16 * 1024)

  init() {
    guard let stream = unsafe isal_stream_new(UInt16(IGZIP_GZIP)) else { fatalError("no memory for a gzip stream") }
    unsafe self.stream = stream
  }

  deinit { unsafe isal_stream_free(stream) }

  mutating func append(_ chunk: [UInt8]) {
    unsafe chunk.withUnsafeBufferPointer { unsafe deflate($0, isLast: false) }
  }

  mutating func append(_ payload: Payload) {
    unsafe deflate(UnsafeBufferPointer(start: payload.baseAddress, count: payload.count), isLast: false)
  }

  /// - Parameter companion: lives as long as the result.
  consuming func finish(holding companion: (any AnyObject & Sendable)? = nil) -> Payload {
    unsafe deflate(UnsafeBufferPointer(start: nil, count: 0), isLast: true)
    var result = PayloadBuffer()
    swap(&result, &output)
    return Payload(taking: result, holding: companion)
  }

  private mutating func deflate(_ input: UnsafeBufferPointer<UInt8>, isLast: Bool) {
    unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
    unsafe stream.pointee.avail_in = UInt32(input.count)
    unsafe stream.pointee.end_of_stream = isLast ? 1 : 0
    unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16 * 1024) { space in
      repeat {
        unsafe stream.pointee.next_out = space.baseAddress
        unsafe stream.pointee.avail_out = UInt32(space.count)
        let status = unsafe isal_deflate(stream)
        precondition(status == COMP_OK, "isal_deflate: \(status)")
        let written = unsafe space.count - Int(stream.pointee.avail_out)
        unsafe output.append(UnsafeBufferPointer(rebasing: space[..<written]))
      } while unsafe isLast ? isal_stream_is_over(stream) == 0 : stream.pointee.avail_out == 0
    }
  }
}
