/// One number while samples are being collected: which family, which part of it, which labels.
struct Sample: Sendable {
  /// ``Family/id``.
  var family: Int32
  var part: SamplePart
  /// Where the sample's labels stand among the sink's, in exposition form.
  var labelStart: UInt32
  var labelCount: UInt32
  /// Of a histogram: its index among the sink's histograms.
  var value: Double
}

/// A histogram whose one sample stands for all series.
struct HistogramSample: Sendable {
  let edges: HistogramEdges
  /// Observations at or below each edge.
  let cumulative: [Double]
  let count: Double
  let sum: Double?
}

/// An open-addressing set of series, holding indices into the sink's samples.
struct SeriesSet {
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

  /// One series is there once, whether its histogram has a sum or not.
  private func isSame(_ a: Sample, _ b: Sample, _ bytes: [UInt8]) -> Bool {
    guard a.family == b.family, a.part.kind == b.part.kind, a.labelCount == b.labelCount else { return false }
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
    hash = (hash ^ UInt64(sample.part.kind.rawValue)) &* 0x100_0000_01b3
    for index in Int(sample.labelStart)..<Int(sample.labelStart + sample.labelCount) {
      hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01b3
    }
    hash ^= hash >> 32
    return Int(truncatingIfNeeded: hash & 0x7fff_ffff)
  }
}

extension SamplePart {
  /// The same for both kinds of histogram.
  fileprivate var kind: SamplePart { self == .sumlessHistogram ? .histogram : self }
}
