import Runtime

/// Scheme, host and port: what a connection belongs to.
public struct HTTPOrigin: Sendable, Hashable, CustomStringConvertible {
  public let usesTLS: Bool
  /// A name or literal address, IPv6 without its brackets.
  public let host: String
  public let port: Int

  public init(usesTLS: Bool, host: String, port: Int) {
    self.usesTLS = usesTLS
    self.host = host
    self.port = port
  }

  public var description: String { "\(usesTLS ? "https" : "http")://\(authority)" }

  /// The value of the header Host: the port is left out where it is the scheme's own.
  var authority: String {
    let shown = host.contains(":") ? "[\(host)]" : host
    return port == (usesTLS ? 443 : 80) ? shown : "\(shown):\(port)"
  }
}

/// A request; its Host and Content-Length are written by the client.
public struct HTTPRequest: Sendable {
  public enum Method: String, Sendable {
    case get = "GET"
    case post = "POST"
  }

  public let method: Method
  /// The path and query, percent-encoded, with a slash in front.
  public let target: String
  /// Names and values; a value with a line end or another control character is refused when it is written.
  public var headers: [(name: String, value: String)]
  public let body: [UInt8]

  public init(
    _ method: Method, _ target: String, headers: [(name: String, value: String)] = [], body: [UInt8] = []
  ) {
    self.method = method
    self.target = target
    self.headers = headers
    self.body = body
  }
}

/// A whole response. Whatever its status, it is no error for the client.
public struct HTTPResponse: Sendable {
  public let status: Int
  public let headers: [(name: String, value: String)]
  public let body: [UInt8]
  /// When the request was written, and when the response\'s head had come.
  public let sent: WallTime
  public let answered: WallTime

  /// The first header of that name, which is compared without regard to case.
  public func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }

  public var isSuccess: Bool { (200..<300).contains(status) }
}

/// What one response may cost.
public struct HTTPLimits: Sendable {
  /// Everything from the status line to the end of the body.
  public var responseBytes: Int

  public init(responseBytes: Int = 1 << 20) { self.responseBytes = responseBytes }
}

/// The time format of HTTP headers, `Sun, 06 Nov 1994 08:49:37 GMT`. The obsolete forms are not read.
public enum HTTPDate {
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  /// Seconds since 1970, or nil when the text is no such time. The day of the week is not checked.
  public static func parse(_ text: String) -> Int64? {
    let bytes = Array(text.utf8)
    guard bytes.count == 29, text.hasSuffix(" GMT"), bytes[3] == UInt8(ascii: ","), bytes[4] == UInt8(ascii: " "),
      bytes[7] == UInt8(ascii: " "), bytes[11] == UInt8(ascii: " "), bytes[16] == UInt8(ascii: " "),
      bytes[19] == UInt8(ascii: ":"), bytes[22] == UInt8(ascii: ":"),
      let day = number(bytes[5..<7]), let month = months.firstIndex(of: String(decoding: bytes[8..<11], as: UTF8.self)),
      let year = number(bytes[12..<16]), let hour = number(bytes[17..<19]), let minute = number(bytes[20..<22]),
      let second = number(bytes[23..<25]),
      (1...31).contains(day), year >= 1970, hour < 24, minute < 60, second <= 60
    else { return nil }
    return days(year: year, month: Int64(month) + 1, day: day) * 86_400 + hour * 3600 + minute * 60 + second
  }

  private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
    digits.allSatisfy { $0.isASCIIDigit }
      ? Int64(String(decoding: digits, as: UTF8.self)) : nil
  }

  /// Days since 1970-01-01 in the Gregorian calendar, years counted from March on.
  private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
  }
}

/// The value of the header Authorization for a user and a password, which is a secret like the password.
public func basicAuthorization(user: String, password: String) -> String {
  let encoded = base64(Array("\(user):\(password)".utf8))
  KnownSecrets.add(encoded)
  return "Basic " + encoded
}

private let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

private func base64(_ bytes: [UInt8]) -> String {
  var result: [UInt8] = []
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let group = bytes[start..<min(start + 3, bytes.count)]
    let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
    for place in 0..<4 {
      result.append(place <= group.count ? alphabet[bits >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
    }
  }
  return String(decoding: result, as: UTF8.self)
}

/// Why a server gave no answer, as a short stable class and a sentence for people.
public struct HTTPClientError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Class: String, Sendable, CaseIterable {
    /// The name does not resolve.
    case dns
    /// No connection: refused or unreachable.
    case connect
    /// The TLS handshake failed or the certificate was not accepted.
    case tls
    /// No whole answer before the deadline.
    case timeout
    /// The server closed the connection before the answer was complete.
    case closed
    /// What the server sent is not HTTP.
    case `protocol`
    /// The server sent more than the client holds.
    case limit
  }

  public let errorClass: Class
  /// What happened, in words; holds neither credentials nor unbounded text of the server.
  public let message: String

  public init(_ errorClass: Class, _ message: String) {
    self.errorClass = errorClass
    self.message = message
  }

  public var description: String { "\(errorClass.rawValue): \(message)" }
}
