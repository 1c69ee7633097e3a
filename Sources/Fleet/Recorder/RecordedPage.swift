import Metrics
import Runtime

/// The samples that rules read of a page, as differences from the page before it, source by source.
struct PageWriter {
  private struct Source {
    /// ``PageValues/Source/stamp`` of the series that were told.
    var stamp: Int
    /// Where its values begin among those of the page before.
    var start: Int
    /// The newest page that it was on.
    var page: Int
  }

  /// The number of each source that was ever seen since the last restart.
  private var numbers: [String: Int] = [:]
  /// By their numbers; nil for one that has gone.
  private var sources: [Source?] = []
  private var pageCount = 0
  /// Of the page before, in its order: its keys, and the numbers of its sources; -1 for one without a number.
  private var keys: [String] = []
  private var order: [Int] = []
  private var values: [Double] = []
  private var families: FamilySelection
  private let namespace: String
  private let areEdgesFloats: Bool
  /// Takes the values where others took none, or those of other families.
  private var reader: PageValuesReader
  private var readsItself = false

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
    reader = PageValuesReader(families)
  }

  /// The next page tells everything: what reads it knows none before it.
  mutating func restart() {
    (numbers, sources, keys, order, values) = ([:], [], [], [], [])
  }

  /// Each reader has stamps of its own: with another one, the series of every source are told again.
  private mutating func forgetStamps() {
    for number in sources.indices { sources[number]?.stamp = -1 }
  }

  private mutating func take(_ page: Registry.Page, _ values: PageValues?) -> PageValues {
    let fitting = values.flatMap { $0.isTaken == families.flags() ? $0 : nil }
    if readsItself != (fitting == nil) { forgetStamps() }
    readsItself = fitting == nil
    return fitting ?? reader.values(of: page)
  }

  /// - Parameters:
  ///   - values: what others took of the page, by one reader all the time; nil where nobody did.
  ///   - emit: is handed each source that differs, as a record by itself.
  mutating func write(
    _ page: Registry.Page, _ values: PageValues?, _ labels: RecordedLabels, emit: (ByteWriter) -> Void
  ) {
    pageCount += 1
    let taken = take(page, values)
    let hasOrder = keys == page.keys
    var order = hasOrder ? order : []
    var output = ByteWriter()
    for (index, source) in taken.sources.enumerated() {
      let known = hasOrder ? order[index] : numbers[page.keys[index]] ?? -1
      if known >= 0, let before = sources[known], before.stamp == source.stamp {
        output.bytes.removeAll(keepingCapacity: true)
        Self.changes(taken.values.span, source.start, self.values.span, before.start, source.count, known, &output)
        if !output.bytes.isEmpty { emit(output) }
        sources[known] = Source(stamp: source.stamp, start: source.start, page: pageCount)
        if !hasOrder { order.append(known) }
        continue
      }
      // What rules read nothing of is not told; of a source that they did read from, that there is nothing now.
      let isTold = known >= 0 || source.count > 0
      let number = known >= 0 ? known : isTold ? sources.count : -1
      if hasOrder { order[index] = number } else { order.append(number) }
      guard isTold else { continue }
      if number == sources.count {
        numbers[page.keys[index]] = number
        sources.append(nil)
      }
      emit(series(page.sources[index], taken.values[source.range], number, labels))
      sources[number] = Source(stamp: source.stamp, start: source.start, page: pageCount)
    }
    for (number, source) in sources.enumerated() {
      guard let source, source.page != pageCount else { continue }
      var output = ByteWriter()
      output.add(Change.gone)
      output.add(number)
      emit(output)
      sources[number] = nil
    }
    (keys, self.order, self.values) = (page.keys, order, taken.values)
  }

  /// Nothing where all values are the same.
  private static func changes(
    _ new: Span<Double>, _ newStart: Int, _ old: Span<Double>, _ oldStart: Int, _ count: Int, _ number: Int,
    _ output: inout ByteWriter
  ) {
    let new = new.extracting(newStart..<(newStart + count))
    let old = old.extracting(oldStart..<(oldStart + count))
    var last = -1
    for index in 0..<count where new[index].bitPattern != old[index].bitPattern {
      if last < 0 {
        output.add(Change.values)
        output.add(number)
      }
      output.add(index - last)
      last = index
      SampleCoding.write(new[index], after: old[index], to: &output)
    }
  }

  private mutating func series(
    _ samples: Samples, _ values: ArraySlice<Double>, _ number: Int, _ labels: RecordedLabels
  ) -> ByteWriter {
    var output = ByteWriter()
    output.add(Change.series)
    output.add(number)
    output.add(values.count)
    var index = values.startIndex
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
    if let value = whole(value), let before = whole(before) {
      let difference = value - before
      let folded = UInt64(bitPattern: (difference << 1) ^ (difference >> 63))
      output.add(folded << 1)
    } else {
      output.add(1)
      output.add(bits: value.bitPattern ^ before.bitPattern)
    }
  }

  /// Nil for negative zero and what has a fraction.
  private static func whole(_ value: Double) -> Int64? {
    guard abs(value) <= wholeLimit, let whole = Int64(exactly: value), whole != 0 || value.sign == .plus else {
      return nil
    }
    return whole
  }

  static func read(_ input: inout ByteReader, after before: Double) throws(RecordingDamage) -> Double {
    let number = try input.number()
    guard number & 1 == 0 else { return Double(bitPattern: before.bitPattern ^ (try input.bits())) }
    guard let before = whole(before) else { throw RecordingDamage("a difference from no whole number") }
    let folded = number >> 1
    let difference = Int64(bitPattern: folded >> 1) ^ -Int64(bitPattern: folded & 1)
    return Double(before &+ difference)
  }
}
