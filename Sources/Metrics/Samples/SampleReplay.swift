import Runtime

/// Takes the numbers of a source whose series are those that it had before, and only them: each stands at once where it
/// will be published, so that nothing is hashed, copied or put in order.
struct SampleReplay {
  private struct Place {
    /// The next series of the run, where its labels begin and where its numbers go.
    var series = 0
    var label = 0
    var value: Int
  }

  let runs: [SeriesRun]
  private(set) var values: [Double]
  /// By run.
  private var places: [Place]
  /// By ``Family/id``: the index of its run, or -1.
  private var indices: [Int16]
  private var takenCount = 0
  private let seriesCount: Int
  private let mask: SecretMask?

  /// nil where there is nothing to repeat, or where other secrets were hidden then.
  init?(_ last: Samples, _ mask: SecretMask?) {
    guard !last.runs.isEmpty, last.runs.count < Int(Int16.max), last.mask === mask else { return nil }
    self.mask = mask
    runs = last.runs
    values = [Double](repeating: 0, count: last.values.count)
    places = []
    places.reserveCapacity(runs.count)
    indices = [Int16](repeating: -1, count: FamilyTable.shared.order.ranks.count)
    var (value, count) = (0, 0)
    for (index, run) in runs.enumerated() {
      indices[Int(run.family)] = Int16(index)
      places.append(Place(value: value))
      value += run.valueCount
      count += run.series.count
    }
    seriesCount = count
  }

  /// Whether every series has its number again.
  var isWhole: Bool { takenCount == seriesCount }

  /// - Returns: whether the series is the next one of its family.
  mutating func take(_ family: Family, _ part: SamplePart, _ labels: some LabelTexts, _ value: Double) -> Bool {
    guard let index = index(of: family), isNext(index, part, family, labels) else { return false }
    values[places[index].value] = value
    step(index, valueCount: 1)
    return true
  }

  mutating func take(
    _ family: Family, _ labels: [LabelValue], _ edges: HistogramEdges, _ cumulative: [Double], _ count: Double,
    _ sum: Double?
  ) -> Bool {
    guard let index = index(of: family) else { return false }
    let run = runs[index]
    guard isNext(index, sum == nil ? .sumlessHistogram : .histogram, family, labels),
      run.edges[Int(run.series[places[index].series].edges)] === edges
    else { return false }
    var value = places[index].value
    for number in cumulative {
      values[value] = number
      value += 1
    }
    values[value] = count
    if let sum { values[value + 1] = sum }
    step(index, valueCount: cumulative.count + (sum == nil ? 1 : 2))
    return true
  }

  /// Takes a whole summary, or nothing of it.
  mutating func takeSummary(
    _ family: Family, _ labels: [LabelValue], _ quantiles: [(quantile: LabelValue, value: Double)], count: Double,
    sum: Double
  ) -> Bool {
    guard let index = index(of: family) else { return false }
    let (place, taken) = (places[index], takenCount)
    for (quantile, value) in quantiles
    where !take(family, .value, QuantileLabels(labels: labels, quantile: quantile), value) {
      (places[index], takenCount) = (place, taken)
      return false
    }
    guard take(family, .sum, labels, sum), take(family, .count, labels, count) else {
      (places[index], takenCount) = (place, taken)
      return false
    }
    return true
  }

  /// What was taken so far: the runs with how many of their series, and where their numbers begin.
  var taken: [(run: SeriesRun, seriesCount: Int, valueStart: Int)] {
    var start = 0
    return zip(runs, places).map { run, place in
      defer { start += run.valueCount }
      return (run, place.series, start)
    }
  }

  @inline(__always)
  private func index(of family: Family) -> Int? {
    guard family.id < indices.count else { return nil }
    let index = Int(indices[family.id])
    return index < 0 ? nil : index
  }

  @inline(__always)
  private func isNext(_ index: Int, _ part: SamplePart, _ family: Family, _ labels: some LabelTexts) -> Bool {
    let run = runs[index]
    let place = places[index]
    guard place.series < run.series.count, run.series[place.series].part == part else { return false }
    var text = LabelComparison(bytes: run.labels, at: place.label, end: Int(run.series[place.series].labelEnd))
    return labels.are(&text, family, mask)
  }

  @inline(__always)
  private mutating func step(_ index: Int, valueCount: Int) {
    let series = places[index].series
    places[index].label = Int(runs[index].series[series].labelEnd)
    places[index].value += valueCount
    places[index].series = series + 1
    takenCount += 1
  }
}

/// The label values of one sample, in the order of its family's names.
protocol LabelTexts {
  /// Whether they are just the text that is left.
  func are(_ text: inout LabelComparison, _ family: Family, _ mask: SecretMask?) -> Bool
}

struct NoLabels: LabelTexts {
  func are(_ text: inout LabelComparison, _ family: Family, _ mask: SecretMask?) -> Bool { text.isAtEnd }
}

extension LabelValue: LabelTexts {
  func are(_ text: inout LabelComparison, _ family: Family, _ mask: SecretMask?) -> Bool {
    text.continues(with: family.labelPrefixes[0], self, mask) && text.isAtEnd
  }
}

extension [LabelValue]: LabelTexts {
  func are(_ text: inout LabelComparison, _ family: Family, _ mask: SecretMask?) -> Bool {
    text.continues(with: family, self, mask) && text.isAtEnd
  }
}

struct QuantileLabels: LabelTexts {
  let labels: [LabelValue]
  let quantile: LabelValue

  func are(_ text: inout LabelComparison, _ family: Family, _ mask: SecretMask?) -> Bool {
    text.continues(with: family, labels, mask) && text.continues(with: quantilePrefix, quantile, mask) && text.isAtEnd
  }
}

let quantilePrefix = Array("quantile=\"".utf8)

/// Reads labels along a text that is known, instead of writing them.
struct LabelComparison {
  private let bytes: [UInt8]
  private let start: Int
  private var at: Int
  private let end: Int

  init(bytes: [UInt8], at: Int, end: Int) {
    (self.bytes, start, self.at, self.end) = (bytes, at, at, end)
  }

  var isAtEnd: Bool { at == end }

  mutating func continues(with family: Family, _ labels: [LabelValue], _ mask: SecretMask?) -> Bool {
    precondition(labels.count == family.labelPrefixes.count, "\(family.name) takes \(family.labelNames)")
    for index in labels.indices where !continues(with: family.labelPrefixes[index], labels[index], mask) {
      return false
    }
    return true
  }

  mutating func continues(with prefix: [UInt8], _ label: LabelValue, _ mask: SecretMask?) -> Bool {
    if case .absent = label { return true }
    if at > start {
      guard at < end, bytes[at] == UInt8(ascii: ",") else { return false }
      at += 1
    }
    guard continues(with: prefix[...]) else { return false }
    // What was written with the same secrets hidden, and is what came now, has none of them.
    let isSame =
      switch label {
      case .bytes(let value): isPlain(value) && continues(with: value) || continues(withWritten: label, mask)
      case .text, .absent: continues(withWritten: label, mask)
      }
    guard isSame, at < end, bytes[at] == UInt8(ascii: "\"") else { return false }
    at += 1
    return true
  }

  @inline(__always)
  private mutating func continues(with text: ArraySlice<UInt8>) -> Bool {
    guard text.count <= end - at else { return false }
    var place = at
    for byte in text {
      guard bytes[place] == byte else { return false }
      place += 1
    }
    at = place
    return true
  }

  /// The slow way, for what may look otherwise once it is written.
  private mutating func continues(withWritten label: LabelValue, _ mask: SecretMask?) -> Bool {
    var written: [UInt8] = []
    label.write(to: &written, mask)
    return continues(with: written[...])
  }
}
