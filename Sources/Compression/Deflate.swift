import CIsal
import CZlib

/// zlib's format (RFC 1950), a whole text at a time: for what is kept.
public enum Deflate {
  /// Bytes that are no such text, or one that is longer than it may be.
  public struct Damage: Error, Equatable {}

  public static func compressed(_ bytes: [UInt8]) -> [UInt8] {
    var length = compressBound(UInt(bytes.count))
    return unsafe [UInt8](unsafeUninitializedCapacity: Int(clamping: length)) { output, count in
      let status = unsafe bytes.withUnsafeBufferPointer { input in
        // An empty text still needs an address.
        unsafe compress2(
          output.baseAddress, &length, input.baseAddress ?? UnsafePointer(output.baseAddress), UInt(input.count),
          Z_DEFAULT_COMPRESSION)
      }
      precondition(status == Z_OK, "compress2: \(status)")
      count = Int(clamping: length)
    }
  }

  /// The same in a third of the time and somewhat larger, for what is written all the time.
  public static func quicklyCompressed(_ bytes: [UInt8]) -> [UInt8] {
    guard let stream = unsafe isal_stream_new(UInt16(IGZIP_ZLIB)) else { fatalError("no memory for a stream") }
    defer { unsafe isal_stream_free(stream) }
    // Noise grows by less than an eighth.
    let capacity = bytes.count + bytes.count / 8 + 1024
    var isWhole = false
    let compressed = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
      let status = unsafe bytes.withUnsafeBufferPointer { input in
        unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        unsafe stream.pointee.avail_in = UInt32(input.count)
        unsafe stream.pointee.next_out = output.baseAddress
        unsafe stream.pointee.avail_out = UInt32(output.count)
        unsafe stream.pointee.end_of_stream = 1
        return unsafe isal_deflate(stream)
      }
      isWhole = unsafe status == COMP_OK && isal_stream_is_over(stream) != 0
      count = unsafe output.count - Int(stream.pointee.avail_out)
    }
    return isWhole ? compressed : Self.compressed(bytes)
  }

  /// - Parameter limit: of the text's bytes; a longer one is damage.
  public static func restored(_ bytes: [UInt8], limit: Int) throws(Damage) -> [UInt8] {
    var stream = unsafe z_stream()
    guard unsafe inflateInit_(&stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { throw Damage() }
    defer { unsafe inflateEnd(&stream) }
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    var isWhole = false
    unsafe bytes.withUnsafeBufferPointer { input in
      unsafe stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
      unsafe stream.avail_in = UInt32(clamping: input.count)
      var status = Z_OK
      while status == Z_OK, text.count <= limit {
        let written = unsafe chunk.withUnsafeMutableBufferPointer { output in
          unsafe stream.next_out = output.baseAddress
          unsafe stream.avail_out = UInt32(clamping: output.count)
          status = unsafe inflate(&stream, Z_NO_FLUSH)
          return unsafe output.count - Int(stream.avail_out)
        }
        text += chunk[..<written]
      }
      isWhole = status == Z_STREAM_END
    }
    guard isWhole, text.count <= limit else { throw Damage() }
    return text
  }
}
