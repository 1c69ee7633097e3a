extension UInt8 {
  @inlinable public var isASCIIDigit: Bool { self &- 0x30 < 10 }

  @inlinable public var isASCIILetter: Bool { (self | 0x20) &- 0x61 < 26 }

  @inlinable public var isASCIIAlphanumeric: Bool { isASCIILetter || isASCIIDigit }

  /// 0 to 15; nil for what is no hexadecimal digit.
  public var hexDigitValue: UInt8? {
    if isASCIIDigit { return self - UInt8(ascii: "0") }
    let lowercase = self | 0x20
    return (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(lowercase) ? lowercase - UInt8(ascii: "a") + 10 : nil
  }
}

extension String {
  /// For a URL: ASCII letters, digits and `-._~` stay, other bytes become `%XX`.
  ///
  /// - Parameter space: what a space becomes; `+` in the query part.
  public func percentEncoded(space: String = "%20") -> String {
    var text = ""
    for byte in utf8 {
      switch byte {
      case _ where byte.isASCIIAlphanumeric, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
        text.unicodeScalars.append(Unicode.Scalar(byte))
      case UInt8(ascii: " "): text += space
      default: text += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
      }
    }
    return text
  }
}

/// The hash FNV-1a with 64 bits: `hash = (hash ^ byte) &* prime` for each byte, from `start` on.
public enum FNV1a {
  @inlinable public static var start: UInt64 { 0xcbf2_9ce4_8422_2325 }
  @inlinable public static var prime: UInt64 { 0x100_0000_01b3 }

  @inlinable public static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var hash = start
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* prime }
    return hash
  }
}
