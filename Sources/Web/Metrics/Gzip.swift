import CZlib

/// Compresses chunk by chunk into one gzip body, level 1: pages are large, repetitive and read once.
@safe struct Gzip: ~Copyable {
  private let stream: UnsafeMutablePointer<z_stream>
  private var output = PayloadBuffer(capacity: 16 * 1024)

  init() {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    // Window bits 15 plus 16: a gzip header in place of zlib's.
    let status = unsafe deflateInit2_(
      stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "deflateInit2: \(status)")
  }

  deinit {
    unsafe deflateEnd(stream)
    unsafe stream.deallocate()
  }

  mutating func append(_ chunk: [UInt8]) {
    deflate(chunk, Z_NO_FLUSH)
  }

  mutating func append(_ payload: Payload) {
    unsafe deflate(UnsafeBufferPointer(start: payload.baseAddress, count: payload.count), Z_NO_FLUSH)
  }

  /// - Parameter companion: lives as long as the result.
  consuming func finish(holding companion: (any AnyObject & Sendable)? = nil) -> Payload {
    deflate([], Z_FINISH)
    var result = PayloadBuffer()
    swap(&result, &output)
    return Payload(taking: result, holding: companion)
  }

  private mutating func deflate(_ input: [UInt8], _ flush: Int32) {
    unsafe input.withUnsafeBufferPointer { unsafe deflate($0, flush) }
  }

  private mutating func deflate(_ input: UnsafeBufferPointer<UInt8>, _ flush: Int32) {
    unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
    unsafe stream.pointee.avail_in = UInt32(input.count)
    unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16 * 1024) { space in
      repeat {
        unsafe stream.pointee.next_out = space.baseAddress
        unsafe stream.pointee.avail_out = UInt32(space.count)
        let status = unsafe CZlib.deflate(stream, flush)
        precondition(status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR, "deflate: \(status)")
        let written = unsafe space.count - Int(stream.pointee.avail_out)
        unsafe output.append(UnsafeBufferPointer(rebasing: space[..<written]))
      } while unsafe stream.pointee.avail_out == 0
    }
  }
}
