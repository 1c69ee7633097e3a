import NIOCore
import Transport

extension NameResolver {
  /// Where an endpoint is: of a name that has several addresses, the first in the system's order of preference.
  ///
  /// - Throws: ``RedisError`` of class `dns` or `connect`.
  /// - Returns: the address, at the latest when the look-up ends; the caller holds the deadline.
  public func resolve(_ endpoint: Endpoint) async throws(RedisError) -> SocketAddress {
    switch endpoint {
    case .unix(let path):
      do { return try SocketAddress(unixDomainSocketPath: path) } catch {
        throw RedisError(.connect, "\(path) is too long for a unix socket path")
      }
    case .tcp(let host, let port):
      let answer = await answer(for: host)
      if case .crowded = answer {
        throw RedisError(.dns, "the name was not looked up: too many names wait for that; try again later")
      }
      if case .addresses(let addresses) = answer, let address = addresses.first {
        if let found = try? SocketAddress(ipAddress: address, port: port) { return found }
        // With a scope, as in fe80::1%eth0, it is for the system to read.
        if let found = try? SocketAddress.makeAddressResolvingHost(address, port: port) { return found }
      }
      throw RedisError(.dns, "the name \(printable(Array(host.utf8)[...])) does not resolve")
    }
  }
}
