/// One number: which family, which part of it, which labels.
struct Sample: Sendable {
  /// ``Family/id``.
  var family: Int32
  var part: SamplePart
  /// Where the sample's labels stand in ``Samples/labelBytes``, already in exposition form: `a="x",b="y"`.
  var labelStart: UInt32
  var labelCount: UInt32
  var value: Double
}

/// Which series of a histogram or summary a sample belongs to; its raw value orders nothing.
enum SamplePart: UInt8, Sendable {
  case value, sum, count
  /// A whole histogram: the sample's value is its index in ``Samples/histograms``.
  case histogram
  /// Stands for a whole summary while samples are being collected; on no page.
  case summary
}

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

/// A histogram whose one sample stands for all series.
struct HistogramSample: Sendable {
  let edges: HistogramEdges
  /// Observations at or below each edge.
  let cumulative: [Double]
  let count: Double
  let sum: Double?

  /// Buckets with +Inf, `_count`, and `_sum` where it is known.
  var seriesCount: Int { edges.count + 2 + (sum == nil ? 0 : 1) }
}

/// An immutable set of samples from one source, ordered by family name.
///
/// It is what a poll leaves behind: some hundred samples in two flat arrays, rendered many times.
public struct Samples: Sendable {
  /// Samples by family rank, in order of arrival within a family.
  let samples: [Sample]
  let labelBytes: [UInt8]
  let histograms: [HistogramSample]
  /// Labels that every sample carries, in exposition form, or empty.
  let constantLabels: [UInt8]

  /// How many series there are.
  public let count: Int

  public static let none = Samples(samples: [], labelBytes: [], histograms: [], constantLabels: [])

  init(samples: [Sample], labelBytes: [UInt8], histograms: [HistogramSample], constantLabels: [UInt8]) {
    self.samples = samples
    self.labelBytes = labelBytes
    self.histograms = histograms
    self.constantLabels = constantLabels
    count = samples.count + histograms.reduce(0) { $0 + $1.seriesCount - 1 }
  }

  /// The samples of several sets without constant labels as one, ordered by family. The sets share no series.
  public init(merging sets: [Samples]) {
    let ranks = FamilyTable.shared.order.ranks
    var samples: [Sample] = []
    var labelBytes: [UInt8] = []
    var histograms: [HistogramSample] = []
    samples.reserveCapacity(sets.reduce(0) { $0 + $1.samples.count })
    for set in sets {
      precondition(set.constantLabels.isEmpty, "sets with constant labels cannot be merged")
      let offset = UInt32(labelBytes.count)
      labelBytes += set.labelBytes
      for var sample in set.samples {
        sample.labelStart += offset
        if sample.part == .histogram { sample.value += Double(histograms.count) }
        samples.append(sample)
      }
      histograms += set.histograms
    }
    // The sort is stable: within a family the order of arrival stays.
    samples.sort { ranks[Int($0.family)] < ranks[Int($1.family)] }
    self.init(samples: samples, labelBytes: labelBytes, histograms: histograms, constantLabels: [])
  }

  /// Greater than every family's rank.
  static let noRank = Int32.max

  /// The rank of the family at an index; ``noRank`` after the last.
  func rank(at index: Int, _ order: FamilyOrder) -> Int32 {
    index < samples.count ? order.ranks[Int(samples[index].family)] : Self.noRank
  }

  /// Where the samples of a family end that may begin at `start`.
  func endOfRun(of family: Int, from start: Int) -> Int {
    var end = start
    while end < samples.count, Int(samples[end].family) == family { end += 1 }
    return end
  }

  /// The same with a further label, but for the samples of some families.
  public func adding(_ name: String, _ value: LabelValue, exceptTo families: [Family]) -> Samples {
    let label = encodeConstantLabels([(name, value)])
    let spared = Set(families.map { Int32($0.id) })
    var bytes: [UInt8] = []
    bytes.reserveCapacity(labelBytes.count + samples.count * (label.count + 1))
    let labelled = samples.map { sample -> Sample in
      var copy = sample
      copy.labelStart = UInt32(bytes.count)
      bytes += labelBytes[Int(sample.labelStart)..<Int(sample.labelStart + sample.labelCount)]
      if !spared.contains(sample.family) {
        if sample.labelCount > 0 { bytes.append(UInt8(ascii: ",")) }
        bytes += label
      }
      copy.labelCount = UInt32(bytes.count) - copy.labelStart
      return copy
    }
    return Samples(samples: labelled, labelBytes: bytes, histograms: histograms, constantLabels: constantLabels)
  }

  /// The same samples under other constant labels.
  public func with(constantLabels labels: [(name: String, value: LabelValue)]) -> Samples {
    Samples(
      samples: samples, labelBytes: labelBytes, histograms: histograms,
      constantLabels: encodeConstantLabels(labels))
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
    switch value {
    case .text(let text): appendEscaped(text, to: &bytes)
    case .bytes(let slice): appendEscaped(slice, to: &bytes)
    case .absent: break
    }
    bytes.append(UInt8(ascii: "\""))
  }
  return bytes
}
