/// A decimal integer with an optional sign; nil for anything else. One beyond ``Limits/integers`` becomes the nearest of
/// them.
public func parseInteger(_ bytes: ArraySlice<UInt8>) -> Int? {
  var index = bytes.startIndex
  guard index < bytes.endIndex else { return nil }
  let isNegative = bytes[index] == UInt8(ascii: "-")
  if isNegative || bytes[index] == UInt8(ascii: "+") { index += 1 }
  guard index < bytes.endIndex else { return nil }
  var magnitude = 0
  while index < bytes.endIndex {
    let digit = bytes[index] &- UInt8(ascii: "0")
    guard digit <= 9 else { return nil }
    magnitude = min(magnitude * 10 + Int(digit), Limits.integers.upperBound)
    index += 1
  }
  return isNegative ? -magnitude : magnitude
}

/// A number as Redis prints it: integer, decimal, with exponent, `inf` or `nan`; nil for anything else.
public func parseDouble(_ bytes: ArraySlice<UInt8>) -> Double? {
  if let number = parseShortDecimal(bytes) { return number }
  guard !bytes.isEmpty, bytes.count <= 64 else { return nil }
  let text = String(decoding: bytes, as: UTF8.self)
  // Hexadecimal is accepted by Double, but no server means it.
  guard !text.utf8.contains(where: { $0 | 0x20 == UInt8(ascii: "x") }) else { return nil }
  return Double(text)
}

/// Up to 15 digits with or without a point, without sign.
///
/// The digits as an integer and the power of ten are both exact, so that one division rounds correctly.
@inline(__always)
private func parseShortDecimal(_ bytes: ArraySlice<UInt8>) -> Double? {
  guard !bytes.isEmpty, bytes.count <= 16 else { return nil }
  var value = 0
  var digitCount = 0
  var fractionCount = -1
  for byte in bytes {
    let digit = byte &- UInt8(ascii: "0")
    if digit <= 9 {
      value = value &* 10 &+ Int(digit)
      digitCount += 1
      if fractionCount >= 0 { fractionCount += 1 }
    } else if byte == UInt8(ascii: "."), fractionCount < 0, digitCount > 0 {
      fractionCount = 0
    } else {
      return nil
    }
  }
  guard digitCount <= 15, fractionCount != 0 else { return nil }
  return fractionCount < 0 ? Double(value) : Double(value) / powersOfTen[fractionCount]
}

private let powersOfTen = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15]
