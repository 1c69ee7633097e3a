import Runtime
import TestSupport
import Testing

@testable import Redis

/// Which values differ from those of the INFO before.
@Suite struct InfoValuesTests {
  private static func info(_ values: [String], _ lineEnd: String) -> InfoText {
    let lines = values.enumerated().map { "field\($0):\($1)" }
    return InfoText(bytes: Array(("# Server\r\n" + lines.joined(separator: lineEnd)).utf8))
  }

  /// Any values after any others, whatever ends a line, the last without an end.
  @Test(arguments: ["\r\n", "\n"]) func anyValues(_ lineEnd: String) {
    var random = FixedRandom(state: 21)
    let fields: [Int32] = [0, 1, 3, 4, 6, 7]
    func value() -> String {
      let count = [0, 1, 3, 7, 8, 9, 15, 16, 17, 40].randomElement(using: &random)!
      return (0..<count).map { _ in Bool.random(using: &random) ? "0" : "1" }.joined()
    }
    var values = (0..<8).map { _ in value() }
    var known = InfoValues(Self.info(values, lineEnd), of: fields)
    var changes: [InfoValues.Change] = []
    for round in 0..<share(500, full: 20_000) {
      let before = values
      for index in values.indices where Int.random(in: 0..<3, using: &random) == 0 {
        values[index] = Bool.random(using: &random) ? value() : String(values[index].reversed())
      }
      let info = Self.info(values, lineEnd)
      guard info.fields.count == values.count else { continue }
      known.compare(info, of: fields, changes: &changes)
      #expect(
        changes.map(\.place) == fields.indices.filter { before[Int(fields[$0])] != values[Int(fields[$0])] },
        "round \(round): \(before) \(values)")
      known.take(changes, from: info, of: fields)
      #expect(known.all.map { String(decoding: $0, as: UTF8.self) } == fields.map { values[Int($0)] })
    }
  }
}
