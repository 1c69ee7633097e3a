import Runtime
import Testing

@testable import API

/// How the API writes numbers and times, and reads times.
@Suite struct WritingTests {
  private func sample(_ value: Double, _ time: Int64 = 0) -> String {
    var json = JSONWriter()
    json.sample(value, atMilliseconds: time)
    return String(decoding: json.bytes, as: UTF8.self)
  }

  @Test(
    arguments: [
      (0, "0"), (-0.0, "-0"), (1, "1"), (-1.5, "-1.5"), (0.1, "0.1"), (1e-7, "0.0000001"),
      (1e21, "1000000000000000000000"),
      (123_456_789_012_345_680, "123456789012345680"), (9_007_199_254_740_994, "9007199254740994"),
      (1.7976931348623157e308, nil),
      (.nan, "NaN"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.leastNonzeroMagnitude, nil),
      (0.30000000000000004, "0.30000000000000004"),
    ] as [(Double, String?)])
  func values(value: Double, text: String?) {
    let written = sample(value)
    if let text {
      #expect(written == "[0,\"\(text)\"]")
    } else {
      #expect(Double(written.dropFirst(4).dropLast(2)) == value)
      #expect(!written.contains("e"))
    }
  }

  @Test(arguments: [
    (0, "0"), (1, "0.001"), (1_435_781_451_781, "1435781451.781"), (1_435_781_451_000, "1435781451"),
    (1_435_781_451_780, "1435781451.780"), (-1, "-0.001"), (-1500, "-1.500"),
  ])
  func times(milliseconds: Int64, text: String) {
    #expect(sample(1, milliseconds) == "[\(text),\"1\"]")
  }

  @Test(
    arguments: [
      ("1970-01-01T00:00:00Z", 0), ("2026-11-28T03:15:02.5Z", 1_795_835_702_500),
      ("2026-11-28T04:15:02.500999+01:00", 1_795_835_702_500), ("1969-12-31t23:59:59.999z", -1),
      ("2024-02-29T12:00:00-00:30", 1_709_209_800_000), ("2023-02-29T12:00:00Z", nil), ("2023-13-01T00:00:00Z", nil),
      ("2023-01-01T24:00:00Z", nil), ("2023-01-01", nil), ("2023-01-01T00:00:00", nil), ("2023-01-01T00:00:00.Z", nil),
      ("2023-01-01T00:00:00Zx", nil), ("", nil), ("2023-01-01T00:00:00+1:00", nil),
    ] as [(String, Int64?)])
  func moments(text: String, milliseconds: Int64?) {
    #expect(RFC3339.milliseconds(text) == milliseconds)
  }

  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00Z"), (1_795_835_702_500, "2026-11-28T03:15:02.5Z"), (nil, "0001-01-01T00:00:00Z"),
      (1_795_835_702_025, "2026-11-28T03:15:02.025Z"),
    ] as [(Int64?, String)])
  func momentsAsGoWritesThem(milliseconds: Int64?, text: String) {
    #expect(RFC3339.text(milliseconds: milliseconds) == text)
  }
}
