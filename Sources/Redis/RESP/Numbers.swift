/// A decimal integer with an optional sign; nil for anything else and for what does not fit.
public func parseInteger(_ bytes: ArraySlice<UInt8>) -> Int? {
  var index = bytes.startIndex
  guard index < bytes.endIndex else { return nil }
  let isNegative = bytes[index] == UInt8(ascii: "-")
  if isNegative || bytes[index] == UInt8(ascii: "+") { index += 1 }
  guard index < bytes.endIndex else { return nil }
  var value = 0
  while index < bytes.endIndex {
    let digit = bytes[index] &- UInt8(ascii: "0")
    guard digit <= 9 else { return nil }
    let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
    let (sum, carried) = product.subtractingReportingOverflow(Int(digit))
    guard !overflowed, !carried else { return nil }
    value = sum
    index += 1
  }
  if isNegative { return value }
  return value == .min ? nil : -value
}

/// A number as Redis prints it: integer, decimal, with exponent, `inf` or `nan`; nil for anything else.
public func parseDouble(_ bytes: ArraySlice<UInt8>) -> Double? {
  if let integer = parseSmallInteger(bytes) { return Double(integer) }
  guard !bytes.isEmpty, bytes.count <= 64 else { return nil }
  let text = String(decoding: bytes, as: UTF8.self)
  // Hexadecimal is accepted by Double, but no server means it.
  guard !text.utf8.contains(where: { $0 | 0x20 == UInt8(ascii: "x") }) else { return nil }
  return Double(text)
}

/// Up to 15 digits, which a Double holds exactly.
@inline(__always)
private func parseSmallInteger(_ bytes: ArraySlice<UInt8>) -> Int? {
  guard !bytes.isEmpty, bytes.count <= 15 else { return nil }
  var value = 0
  for byte in bytes {
    let digit = byte &- UInt8(ascii: "0")
    guard digit <= 9 else { return nil }
    value = value &* 10 &+ Int(digit)
  }
  return value
}
