import Runtime

/// A version of a Debian package, `[epoch:]upstream[-revision]`, which sorts as dpkg sorts it (deb-version(7)).
///
/// `~` sorts before everything, even the end of a part: that is how security updates of an older release stay below the
/// newer one (`7.0.15-1~deb12u6` < `7.0.15-1`).
struct DebianVersion: Sendable, Equatable, Comparable {
  static let lengthLimit = 128

  let epoch: Int
  let upstream: [UInt8]
  /// Empty where there is none, which sorts as `0` does.
  let revision: [UInt8]

  static let zero = DebianVersion(epoch: 0, upstream: [UInt8(ascii: "0")], revision: [])

  /// The version of the program itself without what a package adds to it: `8.1.1+dfsg1` is 8.1.1.
  var program: Version {
    Version(String(decoding: upstream.prefix { $0.isASCIIDigit || $0 == UInt8(ascii: ".") }, as: UTF8.self))
  }
}

extension DebianVersion {
  /// nil for what is no version: an empty text, one beyond the limit, an epoch that is no number, or signs that versions do
  /// not have.
  init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard !bytes.isEmpty, bytes.count <= Self.lengthLimit else { return nil }
    var rest = bytes[...]
    if let colon = rest.firstIndex(of: UInt8(ascii: ":")) {
      let digits = rest[..<colon]
      guard (1...9).contains(digits.count), digits.allSatisfy(\.isASCIIDigit) else { return nil }
      epoch = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
      rest = rest[(colon + 1)...]
    } else {
      epoch = 0
    }
    let dash = rest.lastIndex(of: UInt8(ascii: "-"))
    upstream = Array(rest[..<(dash ?? rest.endIndex)])
    revision = dash.map { Array(rest[($0 + 1)...]) } ?? []
    guard upstream.first?.isASCIIDigit == true, dash == nil || !revision.isEmpty,
      upstream.allSatisfy({ $0.isASCIIAlphanumeric || ".+-~:".utf8.contains($0) }),
      revision.allSatisfy({ $0.isASCIIAlphanumeric || ".+~".utf8.contains($0) })
    else { return nil }
  }

  static func < (left: DebianVersion, right: DebianVersion) -> Bool { order(left, right) < 0 }
  static func == (left: DebianVersion, right: DebianVersion) -> Bool { order(left, right) == 0 }

  private static func order(_ left: DebianVersion, _ right: DebianVersion) -> Int {
    if left.epoch != right.epoch { return left.epoch < right.epoch ? -1 : 1 }
    let upstream = order(left.upstream[...], right.upstream[...])
    return upstream != 0 ? upstream : order(left.revision[...], right.revision[...])
  }

  /// Stretches of other signs and of digits by turns, the others first: signs by their weight, digits by their number.
  private static func order(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Int {
    var (left, right) = (left, right)
    while !left.isEmpty || !right.isEmpty {
      while left.first.map({ !$0.isASCIIDigit }) == true || right.first.map({ !$0.isASCIIDigit }) == true {
        let (a, b) = (weight(left.first), weight(right.first))
        if a != b { return a < b ? -1 : 1 }
        (left, right) = (left.dropFirst(), right.dropFirst())
      }
      let (a, b) = (number(&left), number(&right))
      if a.count != b.count { return a.count < b.count ? -1 : 1 }
      for (x, y) in zip(a, b) where x != y { return x < y ? -1 : 1 }
    }
    return 0
  }

  /// A digit and the end weigh the same: both end a stretch of other signs.
  private static func weight(_ byte: UInt8?) -> Int {
    guard let byte, !byte.isASCIIDigit else { return 0 }
    if byte == UInt8(ascii: "~") { return -1 }
    return byte.isASCIILetter ? Int(byte) : Int(byte) + 256
  }

  /// The digits at the front without leading zeros, which are taken off.
  private static func number(_ bytes: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let digits = bytes.prefix(while: \.isASCIIDigit)
    bytes = bytes[digits.endIndex...]
    return digits.drop { $0 == UInt8(ascii: "0") }
  }

}
