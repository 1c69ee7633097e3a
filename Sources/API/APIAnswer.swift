import PromQL
import Runtime
import Web

/// A good answer on its way: the envelope is open, and what is written becomes `data`.
struct APIAnswer: Sendable {
  /// To be given exactly one value.
  var data: JSONWriter
  private var warnings: [String] = []
  private var infos: [String] = []
  private(set) var limit: AnswerLimit

  /// The memory that the answer and what it is made of take, until its last byte is sent.
  var reservation: QueryReservation? { limit.reservation }

  /// More of them help nobody.
  private static let remarkLimit = 20

  init(limitBytes: Int, reservation: QueryReservation? = nil) {
    limit = AnswerLimit(bytes: limitBytes, reservation: reservation)
    data = JSONWriter(escaping: .go)
    data.reserveCapacity(4096)
    data.verbatim(#"{"status":"success","data":"#)
  }

  /// The value may be wrong or not all.
  mutating func warn(_ text: String) {
    if warnings.count < Self.remarkLimit, !warnings.contains(text) { warnings.append(text) }
  }

  /// The request may not mean what it says.
  mutating func inform(_ text: String) {
    if infos.count < Self.remarkLimit, !infos.contains(text) { infos.append(text) }
  }

  /// What is reserved now is held beside the text until that is whole.
  mutating func keepsReserved() { limit.reservedBefore = reservation?.reservedBytes ?? 0 }

  /// Takes the first `limit` of a list; 0 is no limit.
  mutating func limited<Element>(_ elements: [Element], to limit: Int) -> ArraySlice<Element> {
    guard limit > 0, elements.count > limit else { return elements[...] }
    warn("results truncated due to limit")
    return elements.prefix(limit)
  }

  /// Closes the envelope.
  consuming func response() throws(APIError) -> Response {
    var json = data
    try limit.check(json)
    if !warnings.isEmpty {
      json.key("warnings")
      json.strings(warnings)
    }
    if !infos.isEmpty {
      json.key("infos")
      json.strings(infos)
    }
    json.verbatim("}")
    return .api(json.bytes, holding: try limit.reservation(ofText: json))
  }
}
