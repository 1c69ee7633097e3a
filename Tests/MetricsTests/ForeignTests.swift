import Metrics
import Runtime
import Testing

/// What comes from elsewhere: numbers that do not fit, texts without end.
@Suite struct ForeignTests {
  @Test func conversionsClamp() {
    let cases: [(Double, Int)] = [
      (0, 0), (-0.0, 0), (1.9, 1), (-1.9, -1), (9e18, 9_000_000_000_000_000_000), (9.3e18, .max), (-9.3e18, .min),
      (0x1p63, .max), (-0x1p63, .min), (1e300, .max), (.infinity, .max), (-.infinity, .min), (.nan, 0),
      (.leastNonzeroMagnitude, 0),
    ]
    for (value, expected) in cases { #expect(Int(clamping: value) == expected, "\(value)") }
    #expect(UInt64(clamping: -1.5) == 0 && UInt64(clamping: 1e300) == .max && UInt64(clamping: 0x1p63) == 1 << 63)
    #expect(Int32(clamping: 3e9) == .max && UInt8(clamping: 255.9) == 255)
  }

  @Test func aTextIsCutBetweenCharacters() {
    let limit = ForeignText.byteLimit
    for unit in ["x", "é", "€", "😀", "\u{FFFD}"] {
      let whole = String(repeating: unit, count: limit / unit.utf8.count)
      #expect(String(foreign: Array(whole.utf8)) == whole, "what fits stays whole")
      let cut = String(foreign: Array((whole + "xxxx").utf8))
      #expect(cut.utf8.count <= limit && cut.utf8.count > limit - 24 && cut.contains("…"), "\(unit)")
      #expect(unit == "\u{FFFD}" || !cut.contains("\u{FFFD}"), "\(unit)")
      #expect(cut != String(foreign: Array((whole + "xxxy").utf8)), "two long texts stay two")
    }
  }

  /// Each bad byte takes the place of three good ones.
  @Test func bytesThatAreNoTextStayInTheLimit() {
    for count in [1, 340, 341, 342, 1023, 1024, 1025, 100_000] {
      let text = String(foreign: [UInt8](repeating: 0xff, count: count))
      #expect(text.utf8.count <= ForeignText.byteLimit, "\(count)")
      #expect(text.contains("…") == (count * 3 > ForeignText.byteLimit), "\(count)")
    }
  }

  @Test func labelsAreCutWhereTheyAreWritten() {
    let family = Family.gauge("foreign_tests_label", "A test's.", labels: ["name"])
    let long = [UInt8](repeating: UInt8(ascii: "x"), count: 2_000_000)
    var sink = SampleSink()
    sink.add(family, 1, LabelValue(long[...]))
    sink.add(family, 2, LabelValue((long + [0x79])[...]))
    sink.add(family, 3, .text(String(repeating: "\"", count: 5000)))
    let page = String(decoding: Exposition().page([sink.finish()]), as: UTF8.self)
    let lines = page.split(separator: "\n").filter { !$0.hasPrefix("#") }
    #expect(sink.duplicateCount == 0 && lines.count == 3)
    #expect(lines.allSatisfy { $0.utf8.count < 2 * ForeignText.byteLimit + 100 && $0.contains("…") })
  }
}
