import NIOCore
import Transport

/// Turns endpoints into socket addresses.
public final class Resolver: Sendable {
  private let names = NameResolver()

  public init() {}

  /// - Throws: ``RedisError`` of class `dns` or `connect`.
  /// - Returns: the address, at the latest when the look-up ends; the caller holds the deadline.
  public func resolve(_ endpoint: Endpoint) async throws(RedisError) -> SocketAddress {
    switch endpoint {
    case .unix(let path):
      do { return try SocketAddress(unixDomainSocketPath: path) } catch {
        throw RedisError(.connect, "\(path) is too long for a unix socket path")
      }
    case .tcp(let host, let port):
      if let literal = try? SocketAddress(ipAddress: host, port: port) { return literal }
      // A literal address that is not plain names its interface, as `fe80::1%eth0`; that is no look-up either.
      guard let found = await names.addresses(of: host).first,
        let address = try? SocketAddress.makeAddressResolvingHost(found, port: port)
      else { throw RedisError(.dns, "the name \(printable(Array(host.utf8)[...])) does not resolve") }
      return address
    }
  }
}
