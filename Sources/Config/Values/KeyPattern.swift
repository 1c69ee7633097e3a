/// A key or glob to look at in one database, as redis_exporter's check-keys flags write them: `db3=sessions:*`.
public struct KeyPattern: Sendable, Hashable {
  /// The number of the database, 0 or more.
  public let database: Int
  /// The key or glob as Redis gets it; any bytes, since a key may hold any.
  public let bytes: [UInt8]

  public init(database: Int, bytes: [UInt8]) {
    self.database = database
    self.bytes = bytes
  }

  /// The key or glob for labels and logs, broken UTF-8 replaced.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// True when a character of `?*[]^` asks for SCAN; the name is used as it is otherwise.
  public var isGlob: Bool { bytes.contains { Self.globCharacters.contains($0) } }

  /// What every name that matches begins with; empty where it begins with a wildcard.
  public var literalPrefix: [UInt8] { Array(bytes.prefix { !"*?[\\".utf8.contains($0) }) }

  private static let globCharacters = Set("?*[]^".utf8)

  /// The elements of a comma-separated list. Each is `pattern` (database 0), `dbN=pattern` or `N=pattern`, with `%XX`
  /// and `+` decoded as in a URL query, so that keys may hold commas and equals signs.
  ///
  /// An element without a key (`db3=`) or without a number (`db=a`) is skipped, as are empty ones.
  /// Errors name the element: more than one `=`, a bad number, a bad escape.
  public static func list(_ text: String) throws(Mismatch) -> [KeyPattern] {
    var patterns: [KeyPattern] = []
    for element in text.unicodeScalars.split(separator: ",") {
      if let pattern = try parse(String(element)) { patterns.append(pattern) }
    }
    return patterns
  }

  private static func parse(_ element: String) throws(Mismatch) -> KeyPattern? {
    let halves = element.unicodeScalars.split(separator: "=", omittingEmptySubsequences: false)
      .map { trimmed(Substring($0)) }
    guard halves.count <= 2 else {
      throw Mismatch(
        "has more than one =", hint: "write dbN=pattern, and %3D for an equals sign in a key", part: element)
    }
    guard let key = queryUnescaped(halves[halves.count - 1]) else {
      throw Mismatch("has a % that starts no two-digit code", hint: "write %25 for a percent sign", part: element)
    }
    let number = halves.count == 2 ? halves[0].replacing("db", with: "") : "0"
    if number.isEmpty || key.isEmpty { return nil }
    guard let database = Int(number), (0...Int(Int32.max)).contains(database) else {
      throw Mismatch("does not name a database", hint: "write dbN=pattern with a number N of 0 or more", part: element)
    }
    return KeyPattern(database: database, bytes: key)
  }

  private static func queryUnescaped(_ text: Substring) -> [UInt8]? {
    var result: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "+"): result.append(UInt8(ascii: " "))
      case UInt8(ascii: "%"):
        guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else {
          return nil
        }
        result.append(high << 4 | low)
      default: result.append(byte)
      }
    }
    return result
  }
}

/// The value of a hexadecimal digit in ASCII.
func hexDigit(_ byte: UInt8) -> UInt8? {
  Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt8.init)
}

/// The text without white space at its ends.
func trimmed(_ text: Substring) -> Substring {
  var text = text
  while text.first?.isWhitespace == true { text.removeFirst() }
  while text.last?.isWhitespace == true { text.removeLast() }
  return text
}
