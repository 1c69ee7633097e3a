import Metrics
import Runtime

/// The samples that rules read of a page, as differences from the page before it, source by source.
final class PageWriter {
  private struct Source {
    let series: SeriesOutline
    var values: [Double]
    /// The newest page that it was on.
    var page: Int
  }

  /// The number of each source that was ever seen since the last restart.
  private var numbers: [String: Int] = [:]
  /// By their numbers; nil for one that has gone.
  private var sources: [Source?] = []
  private var pageCount = 0
  private var families: FamilySelection
  private var namespace: String
  private var areEdgesFloats: Bool
  private var values: [Double] = []

  enum Change {
    /// A source with its series.
    static let series: UInt64 = 1
    /// The values of a source that differ.
    static let values: UInt64 = 2
    static let gone: UInt64 = 3
  }

  init(_ families: FamilySelection, namespace: String, areEdgesFloats: Bool) {
    self.families = families
    self.namespace = namespace
    self.areEdgesFloats = areEdgesFloats
  }

  /// The next page tells everything: what reads it knows none before it.
  func restart() {
    numbers = [:]
    sources = []
  }

  /// - Parameter emit: is handed each source that differs, as a record by itself.
  func write(_ page: Registry.Page, _ labels: RecordedLabels, emit: (ByteWriter) -> Void) {
    pageCount += 1
    let isWanted = families.flags()
    for index in page.sources.indices {
      let key = page.keys[index]
      values.removeAll(keepingCapacity: true)
      if let number = numbers[key], sources[number] != nil {
        if page.sources[index].appendValues(of: isWanted, to: &values, comparedWith: sources[number]!.series) {
          if let output = changedValues(from: sources[number]!.values, number) { emit(output) }
          swap(&values, &sources[number]!.values)
          sources[number]?.page = pageCount
          continue
        }
      } else {
        page.sources[index].appendValues(of: &families, to: &values)
        // What rules read nothing of is not told; of a source that they did read from, that there is nothing now.
        if values.isEmpty, numbers[key] == nil { continue }
      }
      let number = numbers[key] ?? sources.count
      if number == sources.count {
        numbers[key] = number
        sources.append(nil)
      }
      let samples = page.sources[index]
      emit(series(samples, number, labels))
      sources[number] = Source(series: SeriesOutline(samples, of: &families), values: values, page: pageCount)
    }
    for (number, source) in sources.enumerated() {
      guard let source, source.page != pageCount else { continue }
      var output = ByteWriter()
      output.add(Change.gone)
      output.add(number)
      emit(output)
      sources[number] = nil
    }
  }

  private func changedValues(from before: [Double], _ number: Int) -> ByteWriter? {
    var output = ByteWriter()
    var last = -1
    for index in values.indices where values[index].bitPattern != before[index].bitPattern {
      if last < 0 {
        output.add(Change.values)
        output.add(number)
      }
      output.add(index - last)
      last = index
      SampleCoding.write(values[index], after: before[index], to: &output)
    }
    return last < 0 ? nil : output
  }

  private func series(_ samples: Samples, _ number: Int, _ labels: RecordedLabels) -> ByteWriter {
    var output = ByteWriter()
    output.add(Change.series)
    output.add(number)
    output.add(values.count)
    var index = 0
    let values = values
    samples.forEachSeries(of: &families, namespace: namespace, areEdgesFloats: areEdgesFloats) { series in
      output.add(series.name)
      output.add(series.labels.count)
      for (name, value) in series.labels {
        output.add(name)
        output.add(labels.value(value, of: name))
      }
      SampleCoding.write(values[index], after: 0, to: &output)
      index += 1
    }
    return output
  }

  /// - Parameter stamp: another number for each record.
  static func read(
    _ input: inout ByteReader, stamp: Int, into sources: inout [Int: RecordedSource]
  ) throws(RecordingDamage) {
    let change = try input.number()
    let number = try input.count(upTo: RecordedSource.numberLimit)
    switch change {
    case Change.gone: sources[number] = nil
    case Change.series: sources[number] = try RecordedSource(&input, stamp: stamp)
    case Change.values:
      guard var values = sources[number]?.values else { throw RecordingDamage("values of no source") }
      var place = -1
      while !input.isAtEnd {
        place += try input.count(upTo: RecordedSource.seriesLimit)
        guard values.indices.contains(place) else { throw RecordingDamage("a value of no series") }
        values[place] = try SampleCoding.read(&input, after: values[place])
      }
      sources[number]?.values = values
    default: throw RecordingDamage("a change of no kind")
    }
  }
}

/// The series of one source of a page, with their newest values.
public struct RecordedSource: Sendable {
  public struct Series: Sendable, Hashable {
    public let name: String
    public let labels: [Label]
  }
  public struct Label: Sendable, Hashable {
    public let name: String
    public let value: String
  }

  static let numberLimit = 1 << 20
  static let seriesLimit = 1 << 20
  private static let labelLimit = 64
  private static let textLimit = 4096

  public let series: [Series]
  /// Another number whenever the series are others.
  public let stamp: Int
  public internal(set) var values: [Double]

  init(_ input: inout ByteReader, stamp: Int) throws(RecordingDamage) {
    self.stamp = stamp
    var (all, values): ([Series], [Double]) = ([], [])
    for _ in 0..<(try input.count(upTo: Self.seriesLimit)) {
      let name = try input.string(upTo: Self.textLimit)
      var labels: [Label] = []
      for _ in 0..<(try input.count(upTo: Self.labelLimit)) {
        let label = try input.string(upTo: Self.textLimit)
        labels.append(Label(name: label, value: try input.string(upTo: Self.textLimit)))
      }
      all.append(Series(name: name, labels: labels))
      values.append(try SampleCoding.read(&input, after: 0))
    }
    (series, self.values) = (all, values)
  }
}

/// A value as its difference from the one before it.
enum SampleCoding {
  /// Differences of whole numbers that a Double holds exactly.
  private static let wholeLimit = 9.007_199_254_740_992e15

  /// Whole numbers as the difference, marked by an even number; others by the bits that differ.
  static func write(_ value: Double, after before: Double, to output: inout ByteWriter) {
    if isWhole(value), isWhole(before) {
      let difference = Int64(clamping: value) - Int64(clamping: before)
      let folded = UInt64(bitPattern: (difference << 1) ^ (difference >> 63))
      output.add(folded << 1)
    } else {
      output.add(1)
      output.add(bits: value.bitPattern ^ before.bitPattern)
    }
  }

  /// Negative zero and what has a fraction are not.
  private static func isWhole(_ value: Double) -> Bool {
    abs(value) <= wholeLimit && value.rounded() == value && !(value == 0 && value.sign == .minus)
  }

  static func read(_ input: inout ByteReader, after before: Double) throws(RecordingDamage) -> Double {
    let number = try input.number()
    guard number & 1 == 0 else { return Double(bitPattern: before.bitPattern ^ (try input.bits())) }
    guard isWhole(before) else { throw RecordingDamage("a difference from no whole number") }
    let folded = number >> 1
    let difference = Int64(bitPattern: folded >> 1) ^ -Int64(bitPattern: folded & 1)
    return Double(Int64(clamping: before) &+ difference)
  }
}
