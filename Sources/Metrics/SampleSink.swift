import Runtime

/// Collects samples and orders them: what a collector writes to.
///
/// A series that was already added is dropped, the first one stands, and ``duplicateCount`` tells:
/// one repeated line in a hostile INFO must not make Prometheus refuse the page.
public struct SampleSink {
  private var samples: [Sample] = []
  private var labelBytes: [UInt8] = []
  private var histograms: [HistogramSample] = []
  private var seen = SeriesSet()
  /// What hides the secrets that a server repeats.
  private let mask = KnownSecrets.mask
  /// How many samples were dropped because their series existed already.
  public private(set) var duplicateCount = 0
  /// How many samples were dropped because the sink was full.
  public private(set) var overflowCount = 0
  /// The most samples the sink takes.
  public let limit: Int

  public init(limit: Int = 200_000) { self.limit = limit }

  /// Makes room for that many samples at once.
  public mutating func reserve(_ expecting: Int) {
    samples.reserveCapacity(expecting)
    labelBytes.reserveCapacity(expecting * 32)
    seen.reserve(expecting)
  }

  /// Adds a sample without labels.
  public mutating func add(_ family: Family, _ value: Double) {
    append(family, .value, from: labelBytes.count, value)
  }

  /// Adds a sample with the value of the family's only label.
  public mutating func add(_ family: Family, _ value: Double, _ label: LabelValue) {
    let start = labelBytes.count
    appendLabel(family.labelPrefixes[0], label, start)
    append(family, .value, from: start, value)
  }

  /// Adds a sample with one value for each of the family's labels, in the family's order.
  public mutating func add(_ family: Family, _ value: Double, _ labels: [LabelValue]) {
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
    let start = labelBytes.count
    appendLabels(family, labels, start)
    guard append(family, .histogram, from: start, Double(histograms.count)) else { return }
    histograms.append(HistogramSample(edges: edges, cumulative: cumulative, count: count, sum: sum))
  }

  /// Adds a summary: quantiles with their values, and the totals where they are known.
  public mutating func addSummary(
    _ family: Family, _ labels: [LabelValue], quantiles: [(quantile: LabelValue, value: Double)],
    count: Double, sum: Double
  ) {
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
      samples.append(
        Sample(
          family: Int32(family.id), part: .value, labelStart: UInt32(start),
          labelCount: UInt32(labelBytes.count - start), value: value))
    }
    addPart(family, .sum, encoded, sum)
    addPart(family, .count, encoded, count)
  }

  private mutating func addPart(_ family: Family, _ part: SamplePart, _ labels: [UInt8], _ value: Double) {
    let start = labelBytes.count
    labelBytes.append(contentsOf: labels)
    samples.append(
      Sample(
        family: Int32(family.id), part: part, labelStart: UInt32(start),
        labelCount: UInt32(labelBytes.count - start), value: value))
  }

  private mutating func appendLabels(_ family: Family, _ labels: [LabelValue], _ start: Int) {
    precondition(labels.count == family.labelPrefixes.count, "\(family.name) takes \(family.labelNames)")
    for (prefix, label) in zip(family.labelPrefixes, labels) { appendLabel(prefix, label, start) }
  }

  private mutating func appendLabel(_ prefix: [UInt8], _ label: LabelValue, _ start: Int) {
    if case .absent = label { return }
    if labelBytes.count > start { labelBytes.append(UInt8(ascii: ",")) }
    labelBytes.append(contentsOf: prefix)
    switch label {
    case .text(let text): appendEscaped(text, to: &labelBytes)
    case .bytes(let bytes): appendEscaped(mask?.masked(bytes, sparesWords: true)?[...] ?? bytes, to: &labelBytes)
    case .absent: break
    }
    labelBytes.append(UInt8(ascii: "\""))
  }

  /// - Returns: whether the series is a new one and there was room.
  @discardableResult
  private mutating func append(
    _ family: Family, _ part: SamplePart, from start: Int, _ value: Double
  ) -> Bool {
    let sample = Sample(
      family: Int32(family.id), part: part, labelStart: UInt32(start),
      labelCount: UInt32(labelBytes.count - start), value: value)
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

  /// The samples so far, ordered by family.
  ///
  /// - Complexity: linear in samples and families (a counting sort by rank).
  public func finish(constantLabels: [(name: String, value: LabelValue)] = []) -> Samples {
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
    return Samples(
      samples: places.map { samples[Int($0)] }, labelBytes: fitted(labelBytes),
      histograms: fitted(histograms), constantLabels: encodeConstantLabels(constantLabels))
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

private let quantilePrefix = Array("quantile=\"".utf8)

/// An open-addressing set of series, holding indices into the sink's samples.
private struct SeriesSet {
  private var slots: [Int32] = []
  private var count = 0

  /// Adds the sample that is about to stand at `samples.count`; false when its series is there already.
  mutating func insert(_ sample: Sample, _ samples: [Sample], _ bytes: [UInt8]) -> Bool {
    if (count + 1) * 2 > slots.count { grow(samples, bytes) }
    var slot = hash(sample, bytes) & (slots.count - 1)
    while slots[slot] >= 0 {
      if isSame(samples[Int(slots[slot])], sample, bytes) { return false }
      slot = (slot + 1) & (slots.count - 1)
    }
    slots[slot] = Int32(samples.count)
    count += 1
    return true
  }

  /// Makes room for `count` series at once.
  mutating func reserve(_ count: Int) {
    var size = 64
    while size < count * 2 { size *= 2 }
    if slots.isEmpty { slots = [Int32](repeating: -1, count: size) }
  }

  private mutating func grow(_ samples: [Sample], _ bytes: [UInt8]) {
    let size = max(64, slots.count * 2)
    slots = [Int32](repeating: -1, count: size)
    for (index, sample) in samples.enumerated() {
      var slot = hash(sample, bytes) & (size - 1)
      while slots[slot] >= 0 { slot = (slot + 1) & (size - 1) }
      slots[slot] = Int32(index)
    }
  }

  private func isSame(_ a: Sample, _ b: Sample, _ bytes: [UInt8]) -> Bool {
    guard a.family == b.family, a.part == b.part, a.labelCount == b.labelCount else { return false }
    let left = Int(a.labelStart)
    let right = Int(b.labelStart)
    for offset in 0..<Int(a.labelCount) where bytes[left + offset] != bytes[right + offset] {
      return false
    }
    return true
  }

  /// FNV-1a over family, part and labels, with a final mix. Seeded per process, so that no server can aim at one slot.
  private func hash(_ sample: Sample, _ bytes: [UInt8]) -> Int {
    var hash: UInt64 = processSeed ^ UInt64(UInt32(bitPattern: sample.family))
    hash = (hash ^ UInt64(sample.part.rawValue)) &* 0x100_0000_01b3
    for index in Int(sample.labelStart)..<Int(sample.labelStart + sample.labelCount) {
      hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01b3
    }
    hash ^= hash >> 32
    return Int(truncatingIfNeeded: hash & 0x7fff_ffff)
  }
}

private let processSeed = UInt64.random(in: .min ... .max) | 1
