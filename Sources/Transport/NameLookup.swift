import Glibc

/// The addresses of a name in the system's order of preference, each once, in literal form; empty when it has none.
///
/// Blocks for as long as the system's resolver takes.
func lookUpAddresses(_ name: String) -> [String] {
  var hints = unsafe addrinfo()
  unsafe hints.ai_family = AF_UNSPEC
  unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
  var first: UnsafeMutablePointer<addrinfo>?
  guard unsafe getaddrinfo(name, nil, &hints, &first) == 0 else { return [] }
  defer { unsafe freeaddrinfo(first) }
  var addresses: [String] = []
  var next = unsafe first
  while let info = unsafe next {
    var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    let status = unsafe getnameinfo(
      info.pointee.ai_addr, info.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
    if status == 0 {
      let address = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      if !addresses.contains(address) { addresses.append(address) }
    }
    unsafe next = unsafe info.pointee.ai_next
  }
  return addresses
}
