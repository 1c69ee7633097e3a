import Runtime

/// The upper bounds of a histogram, encoded once for all that share them.
public final class HistogramEdges: Sendable {
  /// As they are printed, without +Inf.
  public let bounds: [String]
  /// `le="0.005"} ` for each bound, and for +Inf at the end.
  let labels: [[UInt8]]
  public var count: Int { bounds.count }

  /// - Parameter bounds: ascending, without +Inf, as they are to be printed.
  public init(_ bounds: [String]) {
    self.bounds = bounds
    labels = (bounds + ["+Inf"]).map { Array("le=\"\($0)\"} ".utf8) }
  }
}

/// An immutable set of samples from one source, ordered by family name.
///
/// It is what a poll leaves behind: which series there are, shared with all sources that have the same, and a number
/// for each.
public struct Samples: Sendable {
  /// By rank of their families, each family once.
  let runs: [SeriesRun]
  /// Run after run and series after series. Those of a histogram: its buckets without +Inf, its count, and its sum where
  /// it is known.
  let values: [Double]
  /// Labels that every sample carries, in exposition form, or empty.
  let constantLabels: [UInt8]
  /// What hid secrets when the labels were written.
  let mask: SecretMask?

  /// How many series there are.
  public let count: Int

  public static let none = Samples(runs: [], values: [], constantLabels: [], mask: nil)

  init(runs: [SeriesRun], values: [Double], constantLabels: [UInt8], mask: SecretMask?) {
    self.runs = runs
    self.values = values
    self.constantLabels = constantLabels
    self.mask = mask
    count = runs.reduce(0) { $0 + $1.seriesCount }
  }

  /// The samples of several sets without constant labels as one, ordered by family. The sets share no series.
  public init(merging sets: [Samples]) {
    let ranks = FamilyTable.shared.order.ranks
    var parts: [(run: SeriesRun, values: ArraySlice<Double>)] = []
    for set in sets {
      precondition(set.constantLabels.isEmpty, "sets with constant labels cannot be merged")
      set.forEachRun { parts.append(($0, $1)) }
    }
    // The sort is stable: within a family the order of arrival stays.
    parts.sort { ranks[Int($0.run.family)] < ranks[Int($1.run.family)] }
    var builder = SamplesBuilder()
    var start = 0
    while start < parts.count {
      let family = parts[start].run.family
      var end = start + 1
      while end < parts.count, parts[end].run.family == family { end += 1 }
      if end == start + 1 {
        builder.append(parts[start].run, parts[start].values)
      } else {
        var whole = SeriesRunBuilder(family: family)
        for part in parts[start..<end] { whole.append(part.run) }
        builder.append(whole.run(), parts[start..<end].flatMap(\.values)[...])
      }
      start = end
    }
    self = builder.samples(constantLabels: [], mask: nil)
  }

  /// Greater than every family's rank.
  static let noRank = Int32.max

  /// The rank of the family of a run; ``noRank`` after the last.
  func rank(at index: Int, _ order: FamilyOrder) -> Int32 {
    index < runs.count ? order.ranks[Int(runs[index].family)] : Self.noRank
  }

  /// Hands out each run with its numbers.
  func forEachRun(_ body: (SeriesRun, ArraySlice<Double>) -> Void) {
    var start = 0
    for run in runs {
      body(run, values[start..<(start + run.valueCount)])
      start += run.valueCount
    }
  }

  /// The same samples under other constant labels.
  public func with(constantLabels labels: [(name: String, value: LabelValue)]) -> Samples {
    Samples(runs: runs, values: values, constantLabels: encodeConstantLabels(labels), mask: mask)
  }
}

/// Gives every sample of a source a further label, but for some families. Series that were labelled before are not
/// labelled again.
public struct FurtherLabel: Sendable {
  private let spared: Set<Int32>
  private var label: [UInt8] = []
  private var from: [SeriesRun] = []
  private var to: [SeriesRun] = []

  public init(exceptTo families: [Family]) { spared = Set(families.map { Int32($0.id) }) }

  public mutating func add(_ name: String, _ value: LabelValue, to samples: Samples) -> Samples {
    let label = encodeConstantLabels([(name, value)])
    if label != self.label || !samples.runs.elementsEqual(from, by: ===) {
      (self.label, from) = (label, samples.runs)
      to = from.map { run in
        guard !spared.contains(run.family) else { return run }
        var builder = SeriesRunBuilder(family: run.family)
        builder.append(run, further: label)
        return builder.run()
      }
    }
    return Samples(runs: to, values: samples.values, constantLabels: samples.constantLabels, mask: samples.mask)
  }
}

/// `a="x",b="y"` of labels that a whole set of samples shares.
func encodeConstantLabels(_ labels: [(name: String, value: LabelValue)]) -> [UInt8] {
  var bytes: [UInt8] = []
  for (name, value) in labels {
    if !bytes.isEmpty { bytes.append(UInt8(ascii: ",")) }
    bytes.append(contentsOf: name.utf8)
    bytes.append(UInt8(ascii: "="))
    bytes.append(UInt8(ascii: "\""))
    value.write(to: &bytes, nil)
    bytes.append(UInt8(ascii: "\""))
  }
  return bytes
}
