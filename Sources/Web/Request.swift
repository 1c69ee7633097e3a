import Runtime

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
  /// Whether the server lets in nobody without a login, and this one had one.
  public var isLoggedIn = false

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

/// The target of a request line, `/scrape?target=redis%3A%2F%2Fa`, taken apart.
struct RequestTarget: Equatable {
  /// The most query items.
  static let itemLimit = 256

  let path: String
  let query: [Request.QueryItem]

  /// Nil when there are more than ``itemLimit`` query items.
  init?(_ target: String) {
    var bytes = Substring(target).utf8
    // The absolute form, which a proxy sends: `http://host/path`.
    if bytes.first != UInt8(ascii: "/"), let authority = target.utf8.firstRange(of: "://".utf8) {
      let rest = bytes[authority.upperBound...]
      bytes = rest[(rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex)...]
    }
    let question = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.endIndex
    let path = percentDecoded(bytes[..<question], plusIsSpace: false)
    self.path = path.isEmpty ? "/" : path
    let query = question == bytes.endIndex ? bytes[question...] : bytes[question...].dropFirst()
    self.query = queryItems(query, limit: Self.itemLimit + 1)
    if self.query.count > Self.itemLimit { return nil }
  }
}

/// `a=1&b=2`, decoded: the query of a target, or a form; at most `limit` items.
func queryItems(_ text: Substring.UTF8View, limit: Int) -> [Request.QueryItem] {
  text.split(separator: UInt8(ascii: "&")).prefix(limit).map { item in
    let equals = item.firstIndex(of: UInt8(ascii: "=")) ?? item.endIndex
    let value = equals == item.endIndex ? item[equals...] : item[equals...].dropFirst()
    return Request.QueryItem(
      name: percentDecoded(item[..<equals], plusIsSpace: true), value: percentDecoded(value, plusIsSpace: true))
  }
}

/// `%2F` as `/`. A broken escape stays as it is.
private func percentDecoded(_ bytes: Substring.UTF8View, plusIsSpace: Bool) -> String {
  guard bytes.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
    return String(Substring(bytes))
  }
  var output: [UInt8] = []
  output.reserveCapacity(bytes.count)
  var index = bytes.startIndex
  while index != bytes.endIndex {
    let byte = bytes[index]
    bytes.formIndex(after: &index)
    if byte == UInt8(ascii: "+"), plusIsSpace {
      output.append(UInt8(ascii: " "))
    } else if byte == UInt8(ascii: "%"), let high = bytes[index...].first.flatMap(\.hexDigitValue),
      let low = bytes[index...].dropFirst().first.flatMap(\.hexDigitValue)
    {
      output.append(high << 4 | low)
      bytes.formIndex(&index, offsetBy: 2)
    } else {
      output.append(byte)
    }
  }
  return String(decoding: output, as: UTF8.self)
}

/// The parameters of a request: what a form in its body gives, then what its query gives.
public struct Form: Sendable {
  /// The most items that a body may have.
  public static let itemLimit = 1024
  static let contentType = "application/x-www-form-urlencoded"

  public let items: [Request.QueryItem]

  /// Why the body of a request is no form.
  public struct Refusal: Error, Sendable, Equatable {
    /// 400, or 415 for a body of another type.
    public let status: Int
    public let message: String
  }

  /// A request without a body gives its query alone.
  public init(_ request: Request) throws(Refusal) {
    guard !request.body.isEmpty else {
      items = request.query
      return
    }
    let type = request.header("Content-Type") ?? ""
    let essence = type.prefix { $0 != ";" }
    guard equalIgnoringCase(String(essence.filter { $0 != " " }), Self.contentType) else {
      throw Refusal(
        status: 415,
        message: "the body is \(type.isEmpty ? "of no type" : "\(type.prefix(100))"); send it as \(Self.contentType)")
    }
    guard let text = String(validating: request.body, as: UTF8.self) else {
      throw Refusal(status: 400, message: "the body is not UTF-8; encode other bytes as %XX")
    }
    let fields = queryItems(Substring(text).utf8, limit: Self.itemLimit + 1)
    guard fields.count <= Self.itemLimit else {
      throw Refusal(status: 400, message: "the body has more than \(Self.itemLimit) parameters")
    }
    items = fields + request.query
  }

  /// The value of the first parameter of this name.
  public func value(_ name: String) -> String? { items.first { $0.name == name }?.value }

  /// The values of all parameters of this name.
  public func values(_ name: String) -> [String] { items.compactMap { $0.name == name ? $0.value : nil } }
}

/// Requests that a browser sends on behalf of another site's page, without its user knowing.
extension Request {
  /// Why a request that costs or changes something is refused; nil when nothing says that another site made it.
  ///
  /// Browsers say by `Sec-Fetch-Site` where a request comes from, over plain HTTP often by `Origin` or `Referer` alone. Of a
  /// GET, which an image is enough for, they may be silent: then a browser's is refused, since no other site can be ruled
  /// out. Programs such as curl send none of these headers.
  var refusalAsForeign: String? {
    if let site = header("Sec-Fetch-Site") {
      return ["same-origin", "none"].contains(site) ? nil : "a page of another site sent this request"
    }
    if let origin = header("Origin") ?? header("Referer") {
      return Self.authority(of: origin) == header("Host")?.lowercased()
        ? nil : "a page of another site sent this request"
    }
    guard method == "GET" || method == "HEAD", header("User-Agent")?.hasPrefix("Mozilla/") ?? false else { return nil }
    return "a browser sent this request, without saying for which site"
  }

  /// `host:port` of `http://host:port/path`, in lower case; nil for `null` and the like.
  private static func authority(of url: String) -> String? {
    guard let scheme = url.firstRange(of: "://") else { return nil }
    return url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }.lowercased()
  }
}
