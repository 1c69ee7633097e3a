import Runtime

/// Puts runs and numbers together.
struct SamplesBuilder {
  var runs: [SeriesRun] = []
  var values: [Double] = []

  /// Adds a whole family of other samples.
  mutating func append(_ run: SeriesRun, _ values: ArraySlice<Double>) {
    runs.append(run)
    self.values += values
  }

  func samples(constantLabels: [UInt8], mask: SecretMask?) -> Samples {
    Samples(runs: runs, values: fitted(values), constantLabels: constantLabels, mask: mask)
  }
}

/// Puts the series of one family together.
struct SeriesRunBuilder {
  private let family: Int32
  private var series: [SeriesRun.Series] = []
  private var labels: [UInt8] = []
  private var edges: [HistogramEdges] = []

  init(family: Int32) { self.family = family }

  mutating func append(_ part: SamplePart, _ labels: ArraySlice<UInt8>, _ edges: HistogramEdges?) {
    self.labels += labels
    close(part, edges)
  }

  /// Adds the series of another run of the family, each with a further label; empty for none.
  mutating func append(_ run: SeriesRun, further label: [UInt8] = []) {
    var start = 0
    for one in run.series {
      labels += run.labels[start..<Int(one.labelEnd)]
      if !label.isEmpty {
        if Int(one.labelEnd) > start { labels.append(UInt8(ascii: ",")) }
        labels += label
      }
      start = Int(one.labelEnd)
      close(one.part, one.part.isHistogram ? run.edges[Int(one.edges)] : nil)
    }
  }

  private mutating func close(_ part: SamplePart, _ edges: HistogramEdges?) {
    var index = 0
    if let edges {
      index = self.edges.firstIndex { $0 === edges } ?? self.edges.count
      if index == self.edges.count { self.edges.append(edges) }
    }
    series.append(SeriesRun.Series(part: part, edges: UInt8(clamping: index), labelEnd: UInt32(labels.count)))
  }

  func run() -> SeriesRun {
    SeriesRunTable.shared.shared(
      SeriesRun(family: family, series: fitted(series), labels: fitted(labels), edges: edges))
  }
}

/// The array without the room that it has to spare: it is kept until the next poll, for each of a thousand servers.
private func fitted<Element>(_ array: [Element]) -> [Element] {
  guard array.capacity > array.count + array.count / 4 else { return array }
  var copy: [Element] = []
  copy.reserveCapacity(array.count)
  copy.append(contentsOf: array)
  return copy
}
