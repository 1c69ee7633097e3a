import NIOCore
import Runtime
import Transport

/// Where a server listens.
public enum Endpoint: Sendable, Hashable, CustomStringConvertible {
  case tcp(host: String, port: Int)
  case unix(path: String)

  /// `host:port`, `[ipv6]:port` or `unix:///path`.
  public var description: String {
    switch self {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix://\(path)"
    }
  }

  /// Whether it has a host name, which may lead elsewhere tomorrow.
  var isTCP: Bool { if case .tcp = self { true } else { false } }
  var isNamed: Bool { if case .tcp(let host, _) = self { !Self.isLiteral(host) } else { false } }

  static func isLiteral(_ host: String) -> Bool { (try? SocketAddress(ipAddress: host, port: 0)) != nil }
}

/// User and password for AUTH. Prints as nothing but that it is there.
public struct Credentials: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// nil for the default user.
  public let user: String?
  public let password: String

  public init(user: String? = nil, password: String) {
    self.user = user.flatMap { $0.isEmpty ? nil : $0 }
    self.password = password
  }

  public var description: String { "<secret>" }
  public var debugDescription: String { "<secret>" }
  public var customMirror: Mirror { Mirror(self, children: []) }

  var command: Command {
    if let user { ["AUTH", user, password] } else { ["AUTH", password] }
  }
}

/// An address as users write it: `redis://user:password@host:6379/2`, `rediss://…`, `valkey://…`, `valkeys://…`,
/// `tcp://…`, `unix:///path`, or a bare `host`, `host:port`, `[::1]:6379`.
public struct RedisAddress: Sendable, Hashable, CustomStringConvertible {
  public let endpoint: Endpoint
  public let usesTLS: Bool
  /// User and password of the URL's userinfo, where it has one.
  public let user: String?
  public let password: String?
  /// The database that is selected after connecting.
  public let database: Int

  public static let defaultPort = 6379

  /// - Throws: ``RedisAddressError``, whose text never repeats a part of the address: a password that is not escaped may
  ///   stand anywhere.
  public init(_ text: String) throws(RedisAddressError) {
    let (scheme, rest) = Self.splitScheme(text)
    switch scheme {
    case "redis", "valkey", "tcp": usesTLS = false
    case "rediss", "valkeys": usesTLS = true
    case "unix": usesTLS = false
    default:
      throw RedisAddressError("the scheme is not known; use redis, rediss, valkey, valkeys, tcp or unix")
    }
    var authority = rest
    if let query = authority.firstIndex(where: { $0 == "?" || $0 == "#" }) {
      authority = authority[..<query]
    }
    var path: Substring = ""
    if scheme != "unix", let slash = authority.firstIndex(of: "/") {
      path = authority[authority.index(after: slash)...]
      authority = authority[..<slash]
    }
    (user, password) = try Self.takeUserinfo(from: &authority, isUnix: scheme == "unix")
    if scheme == "unix" {
      guard authority.hasPrefix("/") else {
        throw RedisAddressError("a unix address needs an absolute path, as in unix:///run/redis.sock")
      }
      endpoint = .unix(path: String(authority))
    } else {
      endpoint = try Self.parseAuthority(authority)
    }
    if path.isEmpty {
      database = 0
    } else if let number = Int(path), number >= 0 {
      database = number
    } else {
      throw RedisAddressError("what follows the slash is no database number; use /0, /1, …")
    }
  }

  public init(
    endpoint: Endpoint, usesTLS: Bool = false, database: Int = 0, user: String? = nil
  ) {
    self.endpoint = endpoint
    self.usesTLS = usesTLS
    self.database = database
    self.user = user
    password = nil
  }

  /// The same address with its user but no password.
  public var withoutPassword: RedisAddress {
    RedisAddress(endpoint: endpoint, usesTLS: usesTLS, database: database, user: user)
  }

  /// The address without userinfo, in the form that the password map and the pages use.
  public var description: String {
    switch endpoint {
    case .unix: endpoint.description
    case .tcp: "\(usesTLS ? "rediss" : "redis")://\(endpoint)" + (database == 0 ? "" : "/\(database)")
    }
  }

  private static func splitScheme(_ text: String) -> (scheme: String, rest: Substring) {
    guard let mark = text.firstRange(of: "://") else { return ("redis", text[...]) }
    return (text[..<mark.lowerBound].lowercased(), text[mark.upperBound...])
  }

  /// `user:password@`, `:password@`, or `password@` alone.
  private static func takeUserinfo(
    from authority: inout Substring, isUnix: Bool
  ) throws(RedisAddressError) -> (user: String?, password: String?) {
    guard let at = authority.lastIndex(of: "@"), !isUnix || !authority.hasPrefix("/") else {
      return (nil, nil)
    }
    let userinfo = authority[..<at]
    authority = authority[authority.index(after: at)...]
    guard let colon = userinfo.firstIndex(of: ":") else {
      let decoded = try percentDecoded(userinfo)
      return (nil, decoded.isEmpty ? nil : decoded)
    }
    let user = try percentDecoded(userinfo[..<colon])
    return (user.isEmpty ? nil : user, try percentDecoded(userinfo[userinfo.index(after: colon)...]))
  }

  private static func parseAuthority(_ authority: Substring) throws(RedisAddressError) -> Endpoint {
    var host = authority
    var portText: Substring?
    if authority.hasPrefix("[") {
      guard let close = authority.firstIndex(of: "]") else {
        throw RedisAddressError("the IPv6 address has no closing bracket; write [::1]:6379")
      }
      host = authority[authority.index(after: authority.startIndex)..<close]
      let rest = authority[authority.index(after: close)...]
      guard rest.isEmpty || rest.hasPrefix(":") else {
        throw RedisAddressError("only a port may follow the IPv6 address; write [::1]:6379")
      }
      portText = rest.isEmpty ? nil : rest.dropFirst()
    } else if let colon = authority.lastIndex(of: ":") {
      guard authority.firstIndex(of: ":") == colon else {
        throw RedisAddressError("an IPv6 address needs brackets; write [::1]:6379")
      }
      host = authority[..<colon]
      portText = authority[authority.index(after: colon)...]
    }
    var port = defaultPort
    if let portText, !portText.isEmpty {
      guard let number = Int(portText), (1...65535).contains(number) else {
        throw RedisAddressError("what follows the colon is no port; use 1 to 65535")
      }
      port = number
    }
    guard host.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
      throw RedisAddressError("the host holds a space or a control character")
    }
    return .tcp(host: host.isEmpty ? "localhost" : String(host), port: port)
  }

  private static func percentDecoded(_ text: Substring) throws(RedisAddressError) -> String {
    var bytes: [UInt8] = []
    var iterator = text.utf8.makeIterator()
    while let byte = iterator.next() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = iterator.next().flatMap(\.hexDigitValue), let low = iterator.next().flatMap(\.hexDigitValue)
      else { throw RedisAddressError("the user or password holds a % that is not followed by two hex digits") }
      bytes.append(high << 4 | low)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

public struct RedisAddressError: Error, Sendable, Equatable, CustomStringConvertible {
  public let description: String
  init(_ description: String) { self.description = description }
}

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
      throw RedisError(.dns, "the name \(printable(Array(host.utf8)[...])) does not resolve", cause: .unknownName)
    }
  }
}
