import Metrics
import Redis
import TestSupport

@testable import Fleet

/// Numbers that no honest server sends, put in place of those that real ones sent.
enum Extremes {
  static let numbers =
    [
      "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551615",
      "9007199254740991", "9007199254740993", "-9007199254740993", "4611686018427387904", "99999999999999999999",
      "1e300",
      "-1e300", "1e-300", "1e400", "nan", "inf", "-inf", "-1", "0", "", "-", "0x10", "1.5",
    ] + [String(repeating: "9", count: 400)]

  /// What stands for a number in a text: digits with a sign, a point or an exponent, and no part of a word.
  static func places(_ bytes: [UInt8]) -> [Range<Int>] {
    func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") <= 9 }
    func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "_") }
    var places: [Range<Int>] = []
    var start = 0
    while start < bytes.count {
      guard isDigit(bytes[start]) else {
        start += 1
        continue
      }
      var end = start
      while end < bytes.count, isDigit(bytes[end]) || bytes[end] == UInt8(ascii: ".") { end += 1 }
      if start == 0 || !isLetter(bytes[start - 1]) { places.append(start..<end) }
      start = end
    }
    return places
  }

  /// The text with another number in one place, in a few, or in all.
  static func changed(_ bytes: [UInt8], using random: inout FixedRandom) -> [UInt8] {
    let places = places(bytes)
    guard !places.isEmpty else { return bytes }
    let one = numbers.randomElement(using: &random) ?? ""
    let chosen: Set<Int>
    switch Int.random(in: 0..<8, using: &random) {
    case 0: chosen = Set(places.indices)
    case 1...3: chosen = Set((0..<12).map { _ in Int.random(in: places.indices, using: &random) })
    default: chosen = [Int.random(in: places.indices, using: &random)]
    }
    let mixes = Bool.random(using: &random)
    var result = bytes
    for index in chosen.sorted(by: >) {
      let number = mixes ? numbers.randomElement(using: &random) ?? "" : one
      result.replaceSubrange(places[index], with: Array(number.utf8))
    }
    return result
  }

  /// A reply with other numbers in its strings and integers, well framed.
  static func changed(_ reply: Reply, using random: inout FixedRandom) -> Reply {
    var text: [UInt8] = []
    let leaves = count(reply)
    let place = Int.random(in: 0..<max(1, leaves), using: &random)
    var seen = 0
    let isEverywhere = Int.random(in: 0..<8, using: &random) == 0
    write(reply, to: &text) { bytes in
      defer { seen += 1 }
      guard isEverywhere || seen == place else { return bytes }
      return bytes.count < 30
        ? Array((numbers.randomElement(using: &random) ?? "").utf8) : changed(bytes, using: &random)
    }
    // An integer can only become one of 64 bits, and the rest is as it was framed.
    return (try? Replies.read(text))?[0] ?? reply
  }

  private static func count(_ reply: Reply) -> Int {
    reply.elements.map { $0.reduce(0) { $0 + count($1) } } ?? (isNumeric(reply) ? 1 : 0)
  }

  private static func isNumeric(_ reply: Reply) -> Bool {
    reply.kind == .integer || reply.bytes.map { $0.contains { $0 &- UInt8(ascii: "0") <= 9 } } ?? false
  }

  private static func write(_ reply: Reply, to text: inout [UInt8], changing: ([UInt8]) -> [UInt8]) {
    switch reply.kind {
    case .array:
      text += Array("*\(reply.elements?.count ?? 0)\r\n".utf8)
      for element in reply.elements.map(Array.init) ?? [] { write(element, to: &text, changing: changing) }
    case .null: text += Array("$-1\r\n".utf8)
    case .integer:
      let number = String(
        decoding: changing(Array("\(reply.double.map { Int64(exactly: $0) ?? 0 } ?? 0)".utf8)), as: UTF8.self)
      text += Array(":\(Int64(number) ?? (number.hasPrefix("-") ? .min : .max))\r\n".utf8)
    case .error: text += Array("-".utf8) + Array(reply.bytes ?? []) + Array("\r\n".utf8)
    case .status, .string:
      let bytes = Array(reply.bytes ?? [])
      let changed = isNumeric(reply) ? changing(bytes) : bytes
      text += Array("$\(changed.count)\r\n".utf8) + changed + Array("\r\n".utf8)
    }
  }
}
