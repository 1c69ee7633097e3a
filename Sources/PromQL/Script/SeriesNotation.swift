/// One line of the notation that Prometheus' tests write series in: `name{label="value"} 1 2+3x4 _ stale`.
///
/// `a+bxN` stands for N + 1 values that grow by b, `axN` for N + 1 equal ones, `_` for none, `_xN` for N times none,
/// `stale` for the end of the series.
public struct SeriesNotation: Sendable {
  public let labels: Labels
  /// One for each step; nil where there is no sample.
  public let values: [Double?]

  /// The most values that one line may stand for.
  public static let valueCountLimit = 1_000_000

  /// The series holds native histograms, which are not supported.
  public struct NativeHistogram: Error {
    let labels: Labels
  }

  /// Why a line cannot be read.
  public struct Fault: Error, Sendable, CustomStringConvertible {
    public let description: String
  }

  /// Throws `Fault`, `NativeHistogram` or `QuerySyntaxError`.
  public init(_ line: String, origin: QueryOrigin = QueryOrigin(file: "series")) throws {
    let bytes = Array(line.utf8)
    let end = Self.endOfLabels(bytes)
    labels = try Parser.labels(String(decoding: bytes[..<end], as: UTF8.self), origin: origin)
    let sequence = String(decoding: bytes[end...], as: UTF8.self)
    if sequence.contains("{{") { throw NativeHistogram(labels: labels) }
    values = try Self.values(sequence)
  }

  /// The values alone, separated by spaces.
  public static func values(_ text: String) throws -> [Double?] {
    var values: [Double?] = []
    for item in text.split(whereSeparator: \.isWhitespace) {
      guard let sequence = SequenceItem(item) else { throw Fault(description: "\(quoted(String(item))) is not a value") }
      guard sequence.count <= valueCountLimit - values.count else {
        throw Fault(description: "more than \(valueCountLimit) values for one series")
      }
      values.append(contentsOf: sequence.values)
    }
    return values
  }

  /// Behind the braces, or behind the name when there are none.
  private static func endOfLabels(_ bytes: [UInt8]) -> Int {
    var offset = bytes.firstIndex { !(isWordByte($0) || $0 == UInt8(ascii: ":")) } ?? bytes.count
    let name = offset
    while offset < bytes.count, bytes[offset] == UInt8(ascii: " ") || bytes[offset] == UInt8(ascii: "\t") { offset += 1 }
    let isNativeHistogram = bytes[offset...].starts(with: "{{".utf8)
    guard offset < bytes.count, bytes[offset] == UInt8(ascii: "{"), !isNativeHistogram else { return name }
    while offset < bytes.count {
      switch bytes[offset] {
      case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"):
        guard let string = try? StringSyntax.read(bytes, from: offset) else { return bytes.count }
        offset = string.end
      case UInt8(ascii: "}"): return offset + 1
      default: offset += 1
      }
    }
    return offset
  }
}

/// One word of a sequence of values.
private struct SequenceItem {
  private let first: Double?
  private let increment: Double
  let count: Int

  init?(_ word: Substring) {
    var rest = word
    if rest.first == "_" {
      rest.removeFirst()
      guard let times = Self.times(&rest) else { return nil }
      (first, increment, count) = (nil, 0, max(1, times))
    } else {
      guard let value = Self.value(&rest) else { return nil }
      let hasIncrement = rest.first == "+" || rest.first == "-"
      let increment = hasIncrement ? Self.value(&rest) : 0
      let mustRepeat = hasIncrement && rest.first != "x"
      guard let increment, !mustRepeat, let times = Self.times(&rest) else { return nil }
      // A sequence starts with the value itself.
      (first, self.increment, count) = (value, increment, times + 1)
    }
    if !rest.isEmpty { return nil }
  }

  var values: [Double?] {
    var value = first
    return (0..<count).map { _ in
      defer { if increment != 0 { value = value.map { $0 + increment } } }
      return value
    }
  }

  /// The number behind an `x`; 0 when there is none.
  private static func times(_ rest: inout Substring) -> Int? {
    guard rest.first == "x" else { return 0 }
    let digits = rest.dropFirst().prefix { ("0"..."9").contains($0) }
    rest = rest[digits.endIndex...]
    guard let times = Int(digits), times < SeriesNotation.valueCountLimit else { return nil }
    return times
  }

  private static func value(_ rest: inout Substring) -> Double? {
    var end = rest.startIndex
    var previous: Character = " "
    while end < rest.endIndex, rest[end] != "x" {
      let isSign = rest[end] == "+" || rest[end] == "-"
      let isExponentSign = isSign && (previous == "e" || previous == "E") && end > rest.startIndex
      if isSign, end > rest.startIndex, !isExponentSign { break }
      previous = rest[end]
      end = rest.index(after: end)
    }
    let word = rest[..<end]
    rest = rest[end...]
    if word == "stale" { return .stalenessMarker }
    return word.isEmpty ? nil : Double(word.lowercased())
  }
}
