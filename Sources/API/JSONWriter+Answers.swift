import Alerting
import PromQL
import Runtime

/// How long an answer may become. What is reserved for its text is held until that is whole.
struct AnswerLimit: Sendable {
  let bytes: Int
  let reservation: QueryReservation?
  /// Held for what the text is made of, beside the text.
  var reservedBefore = 0

  /// To be asked often enough that no more than one element of a list comes on top.
  func check(_ json: JSONWriter) throws(APIError) {
    guard json.bytes.count <= bytes else {
      throw APIError(
        .execution, "the answer is longer than \(bytes) bytes; select fewer series, a shorter range or a longer step")
    }
    try hold(reservedBefore + json.bytes.capacity)
  }

  /// The reservation for the text alone, once that is whole.
  func reservation(ofText json: JSONWriter) throws(APIError) -> QueryReservation? {
    try hold(json.bytes.count)
    return reservation
  }

  private func hold(_ count: Int) throws(APIError) {
    do throws(EvaluationError) { try reservation?.hold(count) } catch { throw APIError(error) }
  }
}

extension JSONWriter {
  /// An array of the elements; what the body writes of each is one value, or none.
  mutating func list<Elements: Sequence>(
    _ elements: Elements, within limit: AnswerLimit, _ body: (inout JSONWriter, Elements.Element) -> Void
  ) throws(APIError) {
    try array { json throws(APIError) in
      for element in elements {
        body(&json, element)
        try limit.check(json)
      }
    }
  }

  /// A moment as RFC 3339 writes it.
  mutating func field(_ name: String, atMilliseconds time: Int64?) { field(name, RFC3339.text(milliseconds: time)) }

  /// A sample as Prometheus writes it: `[1435781451.781,"1"]`.
  mutating func sample(_ value: Double, atMilliseconds time: Int64) {
    self.value { bytes in
      bytes.append(UInt8(ascii: "["))
      Self.appendSeconds(time, to: &bytes)
      bytes += [UInt8(ascii: ","), UInt8(ascii: "\"")]
      Self.appendFixed(value, to: &bytes)
      bytes += [UInt8(ascii: "\""), UInt8(ascii: "]")]
    }
  }

  /// `[1435781451.781,"text"]`
  mutating func sample(_ text: String, atMilliseconds time: Int64) {
    array { json in
      json.value { Self.appendSeconds(time, to: &$0) }
      json.string(text)
    }
  }

  /// Whole seconds, or three decimals.
  private static func appendSeconds(_ milliseconds: Int64, to bytes: inout [UInt8]) {
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
  private static func appendFixed(_ value: Double, to bytes: inout [UInt8]) {
    let isWhole = value.magnitude < 9_007_199_254_740_992 && value == value.rounded(.towardZero)
    if isWhole, value != 0 || value.sign == .plus {
      bytes.append(contentsOf: String(Int64(clamping: value)).utf8)
    } else {
      bytes.append(contentsOf: GoNumber.format(value, .fixed, precision: nil).utf8)
    }
  }
}
