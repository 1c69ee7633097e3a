import Alerting
import PromQL
import Runtime

/// Puts JSON together byte by byte, up to a limit; commas come by themselves.
struct JSONWriter: Sendable {
  private(set) var bytes: [UInt8] = []
  /// What may not be exceeded; ``checkSize()`` tells.
  let limitBytes: Int

  private let reservation: QueryReservation?
  /// Held for what the text is made of.
  var reservedBefore = 0

  init(limitBytes: Int = .max, reservation: QueryReservation? = nil) {
    self.limitBytes = limitBytes
    self.reservation = reservation
    bytes.reserveCapacity(4096)
  }

  /// Throws when the text has become too long: to be called often enough that no more than a series comes on top.
  func checkSize() throws(APIError) {
    guard bytes.count <= limitBytes else {
      throw APIError(
        .execution,
        "the answer is longer than \(limitBytes) bytes; select fewer series, a shorter range or a longer step")
    }
    try reserve(reservedBefore + bytes.capacity)
  }

  /// The reservation for the text alone, once that is whole.
  func reservationOfText() throws(APIError) -> QueryReservation? {
    try reserve(bytes.count)
    return reservation
  }

  private func reserve(_ count: Int) throws(APIError) {
    do throws(EvaluationError) { try reservation?.hold(count) } catch { throw APIError(error) }
  }

  // MARK: Structure

  /// Begins with text as it stands, which ends where a value is due.
  mutating func open(with text: String) { bytes.append(contentsOf: text.utf8) }

  /// Adds text as it stands, which closes what ``open(with:)`` opened.
  mutating func close(with text: String) { bytes.append(contentsOf: text.utf8) }

  mutating func object<Failure: Error>(_ body: (inout JSONWriter) throws(Failure) -> Void) throws(Failure) {
    begin(UInt8(ascii: "{"))
    try body(&self)
    bytes.append(UInt8(ascii: "}"))
  }

  mutating func array<Failure: Error>(_ body: (inout JSONWriter) throws(Failure) -> Void) throws(Failure) {
    begin(UInt8(ascii: "["))
    try body(&self)
    bytes.append(UInt8(ascii: "]"))
  }

  mutating func key(_ name: String) {
    string(name)
    bytes.append(UInt8(ascii: ":"))
  }

  private mutating func begin(_ bracket: UInt8) {
    separate()
    bytes.append(bracket)
  }

  /// A comma unless this is the first of its list or the value of a key. Every value ends in another byte than these.
  private mutating func separate() {
    switch bytes.last {
    case nil, UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ":"): break
    default: bytes.append(UInt8(ascii: ","))
    }
  }

  // MARK: Values

  mutating func string(_ text: String) {
    separate()
    bytes.append(UInt8(ascii: "\""))
    escape(text)
    bytes.append(UInt8(ascii: "\""))
  }

  mutating func integer(_ value: some BinaryInteger) {
    separate()
    bytes.append(contentsOf: String(value).utf8)
  }

  /// A number that is neither infinite nor none; such a one becomes 0.
  mutating func number(_ value: Double) {
    separate()
    appendFixed(value.isFinite ? value : 0)
  }

  mutating func boolean(_ value: Bool) {
    separate()
    bytes.append(contentsOf: (value ? "true" : "false").utf8)
  }

  mutating func null() {
    separate()
    bytes.append(contentsOf: "null".utf8)
  }

  mutating func strings(_ texts: some Sequence<String>) {
    array { json in for text in texts { json.string(text) } }
  }

  /// An object of texts, sorted by name.
  mutating func texts(_ texts: [String: String]) {
    object { json in
      for (name, text) in texts.sorted(by: { $0.key < $1.key }) {
        json.key(name)
        json.string(text)
      }
    }
  }

  mutating func labels(_ labels: Labels) {
    object { json in
      for pair in labels.pairs {
        json.key(pair.name)
        json.string(pair.value)
      }
    }
  }

  /// A sample as Prometheus writes it: `[1435781451.781,"1"]`.
  mutating func sample(_ value: Double, atMilliseconds time: Int64) {
    begin(UInt8(ascii: "["))
    appendSeconds(time)
    bytes.append(contentsOf: [UInt8(ascii: ","), UInt8(ascii: "\"")])
    appendFixed(value)
    bytes.append(contentsOf: [UInt8(ascii: "\""), UInt8(ascii: "]")])
  }

  /// `[1435781451.781,"text"]`
  mutating func sample(_ text: String, atMilliseconds time: Int64) {
    begin(UInt8(ascii: "["))
    appendSeconds(time)
    string(text)
    bytes.append(UInt8(ascii: "]"))
  }

  // MARK: Bytes

  /// Whole seconds, or three decimals.
  private mutating func appendSeconds(_ milliseconds: Int64) {
    if milliseconds < 0 { bytes.append(UInt8(ascii: "-")) }
    let magnitude = milliseconds.magnitude
    bytes.append(contentsOf: String(magnitude / 1000).utf8)
    let zero = UInt8(ascii: "0")
    let rest = magnitude % 1000
    guard rest != 0 else { return }
    bytes.append(UInt8(ascii: "."))
    bytes.append(zero + UInt8(rest / 100))
    bytes.append(zero + UInt8(rest / 10 % 10))
    bytes.append(zero + UInt8(rest % 10))
  }

  /// The shortest decimal that reads back as the same value, never with an exponent.
  private mutating func appendFixed(_ value: Double) {
    let isWhole = value.magnitude < 9_007_199_254_740_992 && value == value.rounded(.towardZero)
    if isWhole, value != 0 || value.sign == .plus {
      bytes.append(contentsOf: String(Int64(clamping: value)).utf8)
    } else {
      bytes.append(contentsOf: GoNumber.format(value, .fixed, precision: nil).utf8)
    }
  }

  /// As Go escapes: also what HTML and JavaScript would take amiss.
  private mutating func escape(_ text: String) {
    var previous: (UInt8, UInt8) = (0, 0)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(contentsOf: [UInt8(ascii: "\\"), byte])
      case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
      case UInt8(ascii: "\r"): bytes.append(contentsOf: "\\r".utf8)
      case UInt8(ascii: "\t"): bytes.append(contentsOf: "\\t".utf8)
      case ..<0x20, UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"):
        bytes.append(contentsOf: "\\u00".utf8)
        bytes.append(contentsOf: [Self.hexDigits[Int(byte >> 4)], Self.hexDigits[Int(byte & 15)]])
      case 0xA8, 0xA9:
        // U+2028 and U+2029 end a line in JavaScript.
        if previous == (0xE2, 0x80) {
          bytes.removeLast(2)
          bytes.append(contentsOf: (byte == 0xA8 ? "\\u2028" : "\\u2029").utf8)
        } else {
          bytes.append(byte)
        }
      default: bytes.append(byte)
      }
      previous = (previous.1, byte)
    }
  }

  private static let hexDigits = Array("0123456789abcdef".utf8)
}
