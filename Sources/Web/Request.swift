/// The methods that routes can be for.
public enum Method: String, Sendable, CaseIterable {
  case get = "GET"
  case head = "HEAD"
  case post = "POST"
  case put = "PUT"
  case patch = "PATCH"
  case delete = "DELETE"
  case options = "OPTIONS"
}

/// One HTTP request, read whole.
public struct Request: Sendable {
  /// One `name=value` of the query, decoded.
  public struct QueryItem: Sendable, Equatable {
    public var name: String
    public var value: String
    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }
  /// One header as it was sent.
  public struct Header: Sendable, Equatable {
    public var name: String
    public var value: String
    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// The most bytes of a body that are read; a longer one is answered with 413.
  public static let bodyLimitBytes = 1 << 20

  /// As sent: `GET`.
  public let method: String
  /// Decoded, without the query: `/metrics`.
  public let path: String
  /// In order of appearance.
  public let query: [QueryItem]
  public let headers: [Header]
  public let body: [UInt8]
  /// What stands for one client: an IPv4 address, the 64 bits of its network for IPv6, or `unix`.
  public let client: String

  public init(
    method: String = "GET", path: String, query: [QueryItem] = [], headers: [Header] = [], body: [UInt8] = [],
    client: String = ""
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.headers = headers
    self.body = body
    self.client = client
  }

  /// The value of the first header of this name, in any case of letters.
  public func header(_ name: String) -> String? {
    headers.first { equalIgnoringCase($0.name, name) }?.value
  }

  /// The value of the first query item of this name.
  public func queryValue(_ name: String) -> String? {
    query.first { $0.name == name }?.value
  }

  /// What follows `prefix` in the path: `a/b` of `/node/a/b` under `/node/`. Nil when the path does not begin so.
  public func rest(under prefix: String) -> String? {
    guard path.utf8.starts(with: prefix.utf8) else { return nil }
    return String(decoding: path.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
  }

  /// The values of all query items of this name.
  public func queryValues(_ name: String) -> [String] {
    query.compactMap { $0.name == name ? $0.value : nil }
  }
}

/// Whether two strings are equal but for the case of ASCII letters.
func equalIgnoringCase(_ left: String, _ right: String) -> Bool {
  func folded(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }
  return left.utf8.count == right.utf8.count && zip(left.utf8, right.utf8).allSatisfy { folded($0) == folded($1) }
}
