import CMicrohttpd
import Config
import Glibc
import Runtime

/// Opens sockets that listen.
enum ListenSocket {
  /// Binds and listens; never blocks, is not inherited by children.
  ///
  /// An address without a host takes IPv6 and IPv4 alike, or IPv4 alone on a machine without IPv6.
  /// - Throws: ``WebError`` that names the address and, where the port is taken, what to do.
  static func open(_ address: ListenAddress, backlog: Int32 = 511) throws(WebError) -> Int32 {
    do throws(Failure) {
      if !address.host.isEmpty { return try open(AF_UNSPEC, address.host, address, backlog) }
      do throws(Failure) {
        return try open(AF_INET6, "::", address, backlog)
      } catch  where error.number != EADDRINUSE {
        return try open(AF_INET, "0.0.0.0", address, backlog)
      }
    } catch {
      throw WebError("cannot listen on \(address): \(error.reason)" + advice(error.number, address))
    }
  }

  private struct Failure: Error {
    /// An errno, or 0.
    var number: Int32
    var reason: String
  }

  /// Takes over a socket that listens already, and makes it fit: never blocking, not inherited.
  static func adopt(_ descriptor: Int32) throws(WebError) -> Int32 {
    var accepts: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &length) == 0, accepts != 0 else {
      throw WebError("descriptor \(descriptor) is not a listening socket")
    }
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    return descriptor
  }

  static func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

  /// The port that a socket is bound to; nil for sockets without one.
  static func port(of descriptor: Int32) -> Int? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return unsafe withUnsafeMutablePointer(to: &storage) { storage in
      let address = unsafe UnsafeMutableRawPointer(storage).assumingMemoryBound(to: sockaddr.self)
      guard unsafe getsockname(descriptor, address, &length) == 0 else { return nil }
      switch unsafe Int32(address.pointee.sa_family) {
      case AF_INET:
        return unsafe Int(
          UInt16(bigEndian: UnsafeRawPointer(storage).assumingMemoryBound(to: sockaddr_in.self).pointee.sin_port))
      case AF_INET6:
        return unsafe Int(
          UInt16(bigEndian: UnsafeRawPointer(storage).assumingMemoryBound(to: sockaddr_in6.self).pointee.sin6_port))
      default: return nil
      }
    }
  }

  private static func open(_ family: Int32, _ host: String, _ address: ListenAddress, _ backlog: Int32)
    throws(Failure) -> Int32
  {
    var hints = unsafe addrinfo()
    unsafe hints.ai_family = family
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    let status = unsafe getaddrinfo(host, String(address.port), &hints, &list)
    guard status == 0, let first = unsafe list else {
      throw Failure(number: 0, reason: unsafe String(cString: gai_strerror(status)))
    }
    defer { unsafe freeaddrinfo(list) }

    var failure: Int32 = 0
    var entry: UnsafeMutablePointer<addrinfo>? = unsafe first
    while let info = unsafe entry?.pointee {
      let kind = unsafe info.ai_socktype | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
      let descriptor = unsafe socket(info.ai_family, kind, info.ai_protocol)
      if descriptor >= 0 {
        set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        if unsafe info.ai_family == AF_INET6 {
          set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, address.host.isEmpty ? 0 : 1)
        }
        if unsafe bind(descriptor, info.ai_addr, info.ai_addrlen) == 0, listen(descriptor, backlog) == 0 {
          return descriptor
        }
        failure = errno
        Self.close(descriptor)
      } else {
        failure = errno
      }
      unsafe entry = info.ai_next
    }
    throw Failure(number: failure, reason: systemError(failure))
  }

  private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
    var value = value
    _ = unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
  }

  private static func advice(_ failure: Int32, _ address: ListenAddress) -> String {
    switch failure {
    case EADDRINUSE:
      "; another process has port \(address.port) (find it with: ss -ltnp 'sport = :\(address.port)'), stop it or choose another --web.listen-address"
    case EACCES: "; ports below 1024 need CAP_NET_BIND_SERVICE, or choose another --web.listen-address"
    case EADDRNOTAVAIL: "; this machine has no such address"
    default: ""
    }
  }
}
