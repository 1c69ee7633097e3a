import CMicrohttpd
import Glibc

/// All headers of a request, in order.
func requestHeaders(_ connection: OpaquePointer) -> [Request.Header] {
  var headers: [Request.Header] = []
  headers.reserveCapacity(8)
  unsafe withUnsafeMutablePointer(to: &headers) { headers in
    _ = unsafe MHD_get_connection_values(
      connection, .HEADER_KIND,
      { context, _, name, value in
        let headers = unsafe context!.assumingMemoryBound(to: [Request.Header].self)
        unsafe headers.pointee.append(
          .init(name: String(cString: name!), value: value.map { unsafe String(cString: $0) } ?? ""))
        return .YES
      }, headers)
  }
  return headers
}

/// Gives the daemon an answer to send.
///
/// The payload is lent, not copied: it is released when the last byte has gone.
func queue(_ response: Response, on connection: OpaquePointer, closing: Bool) -> MHD_Result {
  let payload = unsafe Unmanaged.passRetained(response.body)
  guard
    let prepared = unsafe MHD_create_response_from_buffer_with_free_callback_cls(
      response.body.count, response.body.baseAddress,
      { context in unsafe Unmanaged<Payload>.fromOpaque(context!).release() }, payload.toOpaque())
  else {
    unsafe payload.release()
    return .NO
  }
  defer { unsafe MHD_destroy_response(prepared) }
  unsafe MHD_add_response_header(prepared, "Content-Type", response.contentType)
  for header in response.headers { unsafe MHD_add_response_header(prepared, header.name, header.value) }
  if closing { unsafe MHD_add_response_header(prepared, "Connection", "close") }
  return unsafe MHD_queue_response(connection, UInt32(clamping: response.status), prepared)
}

/// What stands for one client: its IPv4 address, also where that came over IPv6, or the 64 bits of network that every IPv6
/// client has for itself; `unix` for other sockets.
func clientText(_ address: UnsafePointer<sockaddr>?) -> String {
  guard let address = unsafe address else { return "unknown" }
  let raw = unsafe UnsafeRawPointer(address)
  switch unsafe Int32(address.pointee.sa_family) {
  case AF_INET:
    let bytes = unsafe raw.assumingMemoryBound(to: sockaddr_in.self).pointee.sin_addr
    return unsafe withUnsafeBytes(of: bytes) { unsafe addressText(bytes: Array($0)[...]) }
  case AF_INET6:
    let address = unsafe raw.assumingMemoryBound(to: sockaddr_in6.self).pointee.sin6_addr
    let bytes = unsafe withUnsafeBytes(of: address) { unsafe Array($0) }
    let isIPv4 = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
    return addressText(bytes: isIPv4 ? bytes[12...] : (bytes[..<8] + Array(repeating: 0, count: 8))[...])
  default: return "unix"
  }
}

/// The text of a 4 or 16 byte address, as Go and the certificates' owners write it.
func addressText(bytes: ArraySlice<UInt8>) -> String {
  let family = bytes.count == 4 ? AF_INET : AF_INET6
  guard bytes.count == 4 || bytes.count == 16 else { return "" }
  var text = [CChar](repeating: 0, count: 64)
  let source = Array(bytes)
  guard unsafe inet_ntop(family, source, &text, socklen_t(text.count)) != nil else { return "" }
  return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
