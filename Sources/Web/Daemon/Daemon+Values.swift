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

/// The numeric address of a peer, without its port; an IPv4 address that came over IPv6 as IPv4.
func addressText(_ address: UnsafePointer<sockaddr>?) -> String {
  guard let address = unsafe address else { return "unknown" }
  var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
  let length: Int
  switch unsafe Int32(address.pointee.sa_family) {
  case AF_INET: length = MemoryLayout<sockaddr_in>.size
  case AF_INET6: length = MemoryLayout<sockaddr_in6>.size
  default: return "unix"
  }
  guard unsafe getnameinfo(address, socklen_t(length), &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0 else {
    return "unknown"
  }
  let end = text.firstIndex(of: 0) ?? text.endIndex
  let name = String(decoding: text[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  return name.hasPrefix("::ffff:") ? String(name.dropFirst(7)) : name
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
