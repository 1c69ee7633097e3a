import Redis
import Runtime

/// Redacted replies of one poll: their text without the numbers in it, and the numbers apart, so that two polls of a server
/// mostly differ in numbers alone.
///
/// The text is of bytes below 9, which stand for parts, and of the server's own between them.
struct Transcript: Sendable, Equatable {
  /// A part of ``text``.
  enum Mark {
    /// An integer without leading zeros, the next of ``Transcript/numbers``.
    static let integer: UInt8 = 0
    /// A number with a fraction; the byte behind it says of how many digits. Its digits are the next number.
    static let decimal: UInt8 = 1
    /// The end of a value.
    static let end: UInt8 = 2
    /// An array with as many elements as the next number says.
    static let array: UInt8 = 3
    /// A reply that is an integer, the next number.
    static let number: UInt8 = 4
    /// A string, a status or an error begins.
    static let string: UInt8 = 5
    static let status: UInt8 = 6
    static let error: UInt8 = 7
    /// Nothing: a field of INFO that had not the form it should have, or a reply that is null.
    static let none: UInt8 = 8

    /// Whether a number belongs to the mark.
    static func hasNumber(_ byte: UInt8) -> Bool { byte <= decimal || byte == array || byte == number }
  }

  /// What is in the text: a line for each heading (`#`) and field (`+`) of INFO, then for each collector (`>`) and command
  /// (`$`) whose reply is kept.
  var names: [UInt8] = []
  var text: [UInt8] = []
  var numbers: [Int64] = []

  /// Another transcript behind this one; its names are no part of it.
  static func += (transcript: inout Transcript, other: Transcript) {
    transcript.text += other.text
    transcript.numbers += other.numbers
  }

  /// Digits that a number may have, so that it fits into 64 bits.
  static let digitLimit = 18
  static let fractionLimit = 6
}

/// Reads the values of a transcript in their order. What is not as it should be is damage: a file is not trusted.
struct TranscriptReader {
  private let text: [UInt8]
  private let numbers: [Int64]
  private var place = 0
  private var numberPlace = 0

  init(_ transcript: Transcript) {
    text = transcript.text
    numbers = transcript.numbers
  }

  var isAtEnd: Bool { place >= text.count }

  /// The next value of INFO; nil where none was kept.
  mutating func value() throws(RecordingDamage) -> [UInt8]? {
    guard place < text.count else { throw RecordingDamage("a value is missing") }
    if text[place] == Transcript.Mark.none {
      place += 1
      return nil
    }
    return try rest()
  }

  private mutating func rest() throws(RecordingDamage) -> [UInt8] {
    var bytes: [UInt8] = []
    while place < text.count {
      let byte = text[place]
      place += 1
      switch byte {
      case Transcript.Mark.end: return bytes
      case Transcript.Mark.integer: bytes += Array(String(try number()).utf8)
      case Transcript.Mark.decimal:
        guard place < text.count, text[place] > UInt8(ascii: "0"), text[place] <= UInt8(ascii: "6") else {
          throw RecordingDamage("a fraction of no digits")
        }
        let fraction = Int(text[place] - UInt8(ascii: "0"))
        place += 1
        var digits = String(try number())
        while digits.utf8.count <= fraction { digits = "0" + digits }
        bytes += Array(digits.dropLast(fraction).utf8) + [UInt8(ascii: ".")] + Array(digits.suffix(fraction).utf8)
      case 0..<9: throw RecordingDamage("a part inside a value")
      default: bytes.append(byte)
      }
    }
    throw RecordingDamage("a value without an end")
  }

  private mutating func number() throws(RecordingDamage) -> Int64 {
    guard numberPlace < numbers.count else { throw RecordingDamage("a number is missing") }
    defer { numberPlace += 1 }
    return numbers[numberPlace]
  }

  private static let depthLimit = 8

  /// Appends the next reply as RESP.
  mutating func reply(to output: inout [UInt8], depth: Int = 0) throws(RecordingDamage) {
    guard place < text.count, depth <= Self.depthLimit else { throw RecordingDamage("a reply is missing") }
    let mark = text[place]
    place += 1
    switch mark {
    case Transcript.Mark.none: output += Array("$-1\r\n".utf8)
    case Transcript.Mark.number: output += Array(":\(try number())\r\n".utf8)
    case Transcript.Mark.array:
      let count = try number()
      guard count >= 0, count <= Int64(text.count) else { throw RecordingDamage("a list that is too long") }
      output += Array("*\(count)\r\n".utf8)
      for _ in 0..<count { try reply(to: &output, depth: depth + 1) }
    case Transcript.Mark.string:
      let bytes = try rest()
      output += Array("$\(bytes.count)\r\n".utf8) + bytes + Array("\r\n".utf8)
    case Transcript.Mark.status, Transcript.Mark.error:
      let bytes = try rest().filter { $0 >= 0x20 }
      output += [mark == Transcript.Mark.status ? UInt8(ascii: "+") : UInt8(ascii: "-")] + bytes + Array("\r\n".utf8)
    default: throw RecordingDamage("a reply of no kind")
    }
  }
}

/// What a recording holds and should not, or the other way round.
public struct RecordingDamage: Error, Equatable, CustomStringConvertible {
  public let description: String
  init(_ description: String) { self.description = description }
}
