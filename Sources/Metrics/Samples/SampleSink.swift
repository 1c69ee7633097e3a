import Runtime

/// Collects samples and orders them: what a collector writes to.
///
/// A series that was already added is dropped, the first one stands, and ``duplicateCount`` tells:
/// one repeated line in a hostile INFO must not make Prometheus refuse the page.
public struct SampleSink {
  /// While all that came are the series of last time, in their order.
  private var replay: SampleReplay?
  private var samples: [Sample] = []
  private var labelBytes: [UInt8] = []
  private var histograms: [HistogramSample] = []
  private var seen = SeriesSet()
  private var expected = 0
  /// What hides the secrets that a server repeats.
  private let mask = KnownSecrets.mask
  /// How many samples were dropped because their series existed already.
  public private(set) var duplicateCount = 0
  /// How many samples were dropped because the sink was full.
  public private(set) var overflowCount = 0
  /// The most samples the sink takes.
  public let limit: Int

  /// - Parameter last: what the source had before. As long as its series are the same, only their numbers are kept; with
  ///   the first that differs the sink goes on as if it knew nothing.
  public init(limit: Int = 200_000, after last: Samples = .none) {
    self.limit = limit
    replay = SampleReplay(last, mask)
  }

  /// Makes room for that many samples at once.
  public mutating func reserve(_ expecting: Int) {
    expected = expecting
    if replay == nil { makeRoom() }
  }

  private mutating func makeRoom() {
    samples.reserveCapacity(expected)
    labelBytes.reserveCapacity(expected * 32)
    seen.reserve(expected)
  }

  /// Adds a sample without labels.
  public mutating func add(_ family: Family, _ value: Double) {
    guard !isRepeated({ $0.take(family, .value, NoLabels(), value) }) else { return }
    append(family, .value, from: labelBytes.count, value)
  }

  /// Adds a sample with the value of the family's only label.
  public mutating func add(_ family: Family, _ value: Double, _ label: LabelValue) {
    guard !isRepeated({ $0.take(family, .value, label, value) }) else { return }
    let start = labelBytes.count
    appendLabel(family.labelPrefixes[0], label, start)
    append(family, .value, from: start, value)
  }

  /// Adds a sample with one value for each of the family's labels, in the family's order.
  public mutating func add(_ family: Family, _ value: Double, _ labels: [LabelValue]) {
    guard !isRepeated({ $0.take(family, .value, labels, value) }) else { return }
    let start = labelBytes.count
    appendLabels(family, labels, start)
    append(family, .value, from: start, value)
  }

  /// Adds a classic histogram.
  ///
  /// - Parameters:
  ///   - cumulative: one count for each edge: observations at or below it.
  ///   - count: all observations (the +Inf bucket).
  ///   - sum: their sum in the family's unit, or nil where the source knows none: the series is then absent.
  public mutating func addHistogram(
    _ family: Family, _ labels: [LabelValue], edges: HistogramEdges, cumulative: [Double], count: Double,
    sum: Double?
  ) {
    precondition(cumulative.count == edges.count, "\(family.name): one count for each edge")
    guard !isRepeated({ $0.take(family, labels, edges, cumulative, count, sum) }) else { return }
    let start = labelBytes.count
    appendLabels(family, labels, start)
    let histogram = HistogramSample(edges: edges, cumulative: cumulative, count: count, sum: sum)
    guard append(family, histogram.part, from: start, Double(histograms.count)) else { return }
    histograms.append(histogram)
  }

  /// Adds a summary: quantiles with their values, and the totals where they are known.
  public mutating func addSummary(
    _ family: Family, _ labels: [LabelValue], quantiles: [(quantile: LabelValue, value: Double)],
    count: Double, sum: Double
  ) {
    guard !isRepeated({ $0.takeSummary(family, labels, quantiles, count: count, sum: sum) }) else { return }
    let start = labelBytes.count
    appendLabels(family, labels, start)
    let encoded = Array(labelBytes[start...])
    // The whole is looked for among the series, and each quantile among those of the whole: a server may repeat one.
    guard append(family, .summary, from: start, 0) else { return }
    var added: Set<[UInt8]> = []
    for (quantile, value) in quantiles {
      guard samples.count < limit else {
        overflowCount += 1
        break
      }
      let start = labelBytes.count
      labelBytes.append(contentsOf: encoded)
      appendLabel(quantilePrefix, quantile, start)
      guard added.insert(Array(labelBytes[start...])).inserted else {
        labelBytes.removeSubrange(start...)
        duplicateCount += 1
        continue
      }
      keep(family, .value, from: start, value)
    }
    addPart(family, .sum, encoded, sum)
    addPart(family, .count, encoded, count)
  }

  private mutating func addPart(_ family: Family, _ part: SamplePart, _ labels: [UInt8], _ value: Double) {
    let start = labelBytes.count
    labelBytes.append(contentsOf: labels)
    keep(family, part, from: start, value)
  }

  private mutating func appendLabels(_ family: Family, _ labels: [LabelValue], _ start: Int) {
    precondition(labels.count == family.labelPrefixes.count, "\(family.name) takes \(family.labelNames)")
    for (prefix, label) in zip(family.labelPrefixes, labels) { appendLabel(prefix, label, start) }
  }

  private mutating func appendLabel(_ prefix: [UInt8], _ label: LabelValue, _ start: Int) {
    if case .absent = label { return }
    if labelBytes.count > start { labelBytes.append(UInt8(ascii: ",")) }
    labelBytes.append(contentsOf: prefix)
    label.write(to: &labelBytes, mask)
    labelBytes.append(UInt8(ascii: "\""))
  }

  private func sample(_ family: Int32, _ part: SamplePart, from start: Int, _ value: Double) -> Sample {
    Sample(
      family: family, part: part, labelStart: UInt32(start), labelCount: UInt32(labelBytes.count - start), value: value)
  }

  private mutating func keep(_ family: Family, _ part: SamplePart, from start: Int, _ value: Double) {
    samples.append(sample(Int32(family.id), part, from: start, value))
  }

  /// - Returns: whether the series is a new one and there was room.
  @discardableResult
  private mutating func append(
    _ family: Family, _ part: SamplePart, from start: Int, _ value: Double
  ) -> Bool {
    let sample = sample(Int32(family.id), part, from: start, value)
    guard samples.count < limit else {
      overflowCount += 1
      labelBytes.removeSubrange(start...)
      return false
    }
    guard seen.insert(sample, samples, labelBytes) else {
      duplicateCount += 1
      labelBytes.removeSubrange(start...)
      return false
    }
    samples.append(sample)
    return true
  }
}

// MARK: What is repeated

extension SampleSink {
  @inline(__always)
  private mutating func isRepeated(_ take: (inout SampleReplay) -> Bool) -> Bool {
    guard replay != nil else { return false }
    if take(&replay!) { return true }
    leaveReplay()
    return false
  }

  /// Goes on from what was repeated so far as if it had been collected one by one.
  private mutating func leaveReplay() {
    guard let replay else { return }
    self.replay = nil
    makeRoom()
    for (run, seriesCount, valueStart) in replay.taken {
      var (label, place) = (0, valueStart)
      for one in run.series[..<seriesCount] {
        let start = labelBytes.count
        labelBytes += run.labels[label..<Int(one.labelEnd)]
        label = Int(one.labelEnd)
        let valueCount = run.valueCount(of: one)
        again(run, one, from: start, replay.values[place..<(place + valueCount)])
        place += valueCount
      }
    }
  }

  private mutating func again(
    _ run: SeriesRun, _ one: SeriesRun.Series, from start: Int, _ values: ArraySlice<Double>
  ) {
    var sample = sample(run.family, one.part, from: start, values[values.startIndex])
    if one.part.isHistogram {
      sample.value = Double(histograms.count)
      histograms.append(HistogramSample(edges: run.edges[Int(one.edges)], values, hasSum: one.part == .histogram))
    }
    // A summary is one series among those that may come twice.
    if one.part == .sum {
      var whole = sample
      whole.part = .summary
      _ = seen.insert(whole, samples, labelBytes)
      samples.append(whole)
    }
    _ = seen.insert(sample, samples, labelBytes)
    samples.append(sample)
  }
}

// MARK: The end

extension SampleSink {
  /// The samples so far, ordered by family.
  ///
  /// - Complexity: linear in samples and families (a counting sort by rank).
  public func finish(constantLabels: [(name: String, value: LabelValue)] = []) -> Samples {
    let constants = encodeConstantLabels(constantLabels)
    if let replay {
      if replay.isWhole {
        return Samples(runs: replay.runs, values: replay.values, constantLabels: constants, mask: mask)
      }
      var collected = self
      collected.leaveReplay()
      return collected.finish(constantLabels: constantLabels)
    }
    var builder = SamplesBuilder()
    let ordered = inOrder()
    var start = 0
    while start < ordered.count {
      var end = start
      while end < ordered.count, ordered[end].family == ordered[start].family { end += 1 }
      var run = SeriesRunBuilder(family: ordered[start].family)
      for sample in ordered[start..<end] {
        let labels = labelBytes[Int(sample.labelStart)..<Int(sample.labelStart + sample.labelCount)]
        if sample.part.isHistogram {
          let histogram = histograms[Int(sample.value)]
          run.append(sample.part, labels, histogram.edges)
          builder.values += histogram.cumulative
          builder.values.append(histogram.count)
          if let sum = histogram.sum { builder.values.append(sum) }
        } else {
          run.append(sample.part, labels, nil)
          builder.values.append(sample.value)
        }
      }
      builder.runs.append(run.run())
      start = end
    }
    return builder.samples(constantLabels: constants, mask: mask)
  }

  private func inOrder() -> [Sample] {
    let ranks = FamilyTable.shared.order.ranks
    var starts = [Int32](repeating: 0, count: ranks.count + 1)
    for sample in samples where sample.part != .summary { starts[Int(ranks[Int(sample.family)]) + 1] += 1 }
    for index in 1..<starts.count { starts[index] += starts[index - 1] }
    var places = [Int32](repeating: 0, count: Int(starts[ranks.count]))
    for (index, sample) in samples.enumerated() where sample.part != .summary {
      let rank = Int(ranks[Int(sample.family)])
      places[Int(starts[rank])] = Int32(index)
      starts[rank] += 1
    }
    return places.map { samples[Int($0)] }
  }
}

extension HistogramSample {
  /// - Parameter values: the buckets, the count, and the sum.
  fileprivate init(edges: HistogramEdges, _ values: ArraySlice<Double>, hasSum: Bool) {
    let count = values.startIndex + edges.count
    self.init(
      edges: edges, cumulative: Array(values[..<count]), count: values[count], sum: hasSum ? values[count + 1] : nil)
  }

  fileprivate var part: SamplePart { sum == nil ? .sumlessHistogram : .histogram }
}

extension LabelValue {
  /// Appends the inside of the quotes.
  func write(to bytes: inout [UInt8], _ mask: SecretMask?) {
    switch self {
    case .text(let text): appendEscaped(text, to: &bytes)
    case .bytes(let value): appendEscaped(mask?.masked(value, sparesWords: true)?[...] ?? value, to: &bytes)
    case .absent: break
    }
  }
}
