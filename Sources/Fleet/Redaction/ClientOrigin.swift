import Redis
import Runtime

/// Who a connection belongs to, as far as that is kept: clients of one name, user and network are one.
public struct ClientOrigin: Sendable, Hashable {
  /// By CLIENT SETNAME; empty where it has none.
  public let name: String
  /// Of the ACL; empty where the server does not tell.
  public let user: String
  /// `10.2.7.0/24`, `2001:db8:0:1::/64`, or `unix socket`.
  public let network: String

  private static let nameLimit = 64

  public init(name: ArraySlice<UInt8>, user: ArraySlice<UInt8>, host: ArraySlice<UInt8>) {
    self.name = Self.shown(name)
    self.user = Self.shown(user)
    network = Self.network(String(foreign: host, upToBytes: ForeignText.hostByteLimit))
  }

  /// For people: `job-7`, where it has no name `user api`, and where that says nothing its network.
  public var title: String {
    if !name.isEmpty { return name }
    return user.isEmpty || user == "default" ? "a client of \(network)" : "user \(user)"
  }

  /// The same with the network: ``job-7 of 10.2.7.0/24``.
  public var place: String { title.hasPrefix("a client") ? title : "\(title) of \(network)" }

  /// A name as it was given. One with an `@` is somebody's address.
  private static func shown(_ bytes: ArraySlice<UInt8>) -> String {
    let text = KnownSecrets.masked(oneLine(String(foreign: bytes, upToBytes: nameLimit)))
    guard let at = text.firstIndex(of: "@") else { return text }
    return text[..<at].isEmpty ? "…@…" : "…@\(text[text.index(after: at)...])"
  }

  /// The network of an address: 24 bits of IPv4, 64 of IPv6.
  static func network(_ host: String) -> String {
    if host.isEmpty || host.hasPrefix("/") { return "unix socket" }
    let bare = host.hasPrefix("[") ? String(host.dropFirst().prefix { $0 != "]" }) : host
    guard bare.contains(":") else {
      let parts = bare.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == 4, parts.allSatisfy({ UInt8($0) != nil }) else { return "unknown" }
      return parts.prefix(3).joined(separator: ".") + ".0/24"
    }
    guard let groups = groups(bare) else { return "unknown" }
    // IPv4 in the form of IPv6.
    if groups[..<5].allSatisfy({ $0 == 0 }), groups[5] == 0xFFFF {
      return "\(groups[6] >> 8).\(groups[6] & 255).\(groups[7] >> 8).0/24"
    }
    return groups[..<4].map { String($0, radix: 16) }.joined(separator: ":") + "::/64"
  }

  /// The eight numbers of an IPv6 address.
  private static func groups(_ text: String) -> [UInt16]? {
    let halves = text.prefix { $0 != "%" }.split(separator: "::", maxSplits: 1, omittingEmptySubsequences: false)
    func numbers(_ half: Substring) -> [UInt16]? {
      var found: [UInt16] = []
      for part in half.split(separator: ":", omittingEmptySubsequences: false) where !half.isEmpty {
        if part.contains(".") {
          let bytes = part.split(separator: ".").compactMap { UInt16($0) }
          guard bytes.count == 4, bytes.allSatisfy({ $0 < 256 }) else { return nil }
          found += [bytes[0] << 8 | bytes[1], bytes[2] << 8 | bytes[3]]
        } else {
          guard part.utf8.count <= 4, let number = UInt16(part, radix: 16) else { return nil }
          found.append(number)
        }
      }
      return found
    }
    guard let first = halves.first, let head = numbers(first) else { return nil }
    guard halves.count == 2 else { return head.count == 8 ? head : nil }
    guard let tail = numbers(halves[1]), head.count + tail.count < 8 else { return nil }
    return head + [UInt16](repeating: 0, count: 8 - head.count - tail.count) + tail
  }
}
