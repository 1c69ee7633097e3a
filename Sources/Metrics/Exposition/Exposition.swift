/// Renders samples as a page for a scraper.
///
/// All sources are merged family by family, since a format wants each family once and whole. The page is handed out in
/// chunks, so that a large one is never held whole.
public struct Exposition: Sendable {
  public enum Format: Sendable, Hashable {
    /// Prometheus text format 0.0.4.
    case text
    /// OpenMetrics text format 1.0.0.
    case openMetrics
  }

  public let format: Format
  /// What is put before the names of namespaced families, without the underscore; empty for nothing.
  public let namespace: String
  /// Full names of the families to show, or nil for all.
  public let names: Set<String>?

  public init(format: Format = .text, namespace: String = "redis", names: Set<String>? = nil) {
    self.format = format
    self.namespace = namespace
    self.names = names
  }

  /// Writes the page in chunks of about `chunkBytes`.
  ///
  /// - Complexity: linear in samples, plus sources times families that they have.
  public func write(
    _ sources: [Samples], chunkBytes: Int = 64 << 10, to flush: ([UInt8]) throws -> Void
  ) rethrows {
    var page: [UInt8] = []
    page.reserveCapacity(chunkBytes + 4096)
    var cursors = [Int](repeating: 0, count: sources.count)
    let order = FamilyTable.shared.order
    let headers = HeaderCache.shared.headers(format, namespace, order)
    while let rank = nextRank(sources, cursors, order) {
      let family = order.families[Int(rank)]
      let isShown = names?.contains(fullName(of: family)) ?? true
      let name = headers.names[Int(rank)]
      if isShown { page.append(contentsOf: headers.headers[Int(rank)]) }
      for index in sources.indices {
        var cursor = cursors[index]
        let end = sources[index].endOfRun(of: family.id, from: cursor)
        if isShown, cursor < end {
          let labels = sources[index].labelBytes
          let constants = sources[index].constantLabels
          while cursor < end {
            let sample = sources[index].samples[cursor]
            if sample.part == .histogram {
              append(
                sources[index].histograms[Int(sample.value)], sample, name, labels, constants, to: &page)
            } else {
              append(sample, name, labels, constants, to: &page)
            }
            cursor += 1
            if page.count >= chunkBytes {
              try flush(page)
              page.removeAll(keepingCapacity: true)
            }
          }
        }
        cursors[index] = end
      }
    }
    if format == .openMetrics { page.append(contentsOf: "# EOF\n".utf8) }
    if !page.isEmpty { try flush(page) }
  }

  /// The whole page at once.
  public func page(_ sources: [Samples]) -> [UInt8] {
    var page: [UInt8] = []
    write(sources) { page.append(contentsOf: $0) }
    return page
  }

  /// The name of a family as the page shows it in text format.
  public func fullName(of family: Family) -> String {
    family.namespaced && !namespace.isEmpty ? "\(namespace)_\(family.name)" : family.name
  }

  /// The lowest rank that any source has left.
  private func nextRank(_ sources: [Samples], _ cursors: [Int], _ order: FamilyOrder) -> Int32? {
    var lowest: Int32?
    for (source, cursor) in zip(sources, cursors) where cursor < source.samples.count {
      let rank = order.ranks[Int(source.samples[cursor].family)]
      if lowest == nil || rank < lowest! { lowest = rank }
    }
    return lowest
  }

  private func append(
    _ sample: Sample, _ name: [UInt8], _ labels: [UInt8], _ constants: [UInt8], to page: inout [UInt8]
  ) {
    page.append(contentsOf: name)
    switch sample.part {
    case .value, .summary, .histogram: break
    case .sum: page.append(contentsOf: sumSuffix)
    case .count: page.append(contentsOf: countSuffix)
    }
    appendLabels(of: sample, labels, constants, to: &page)
    page.append(space)
    appendNumber(sample.value, to: &page)
    page.append(lineFeed)
  }

  /// `{a="x",b="y"}`, or nothing.
  private func appendLabels(
    of sample: Sample, _ labels: [UInt8], _ constants: [UInt8], to page: inout [UInt8]
  ) {
    guard sample.labelCount > 0 || !constants.isEmpty else { return }
    page.append(UInt8(ascii: "{"))
    let start = Int(sample.labelStart)
    page.append(contentsOf: labels[start..<start + Int(sample.labelCount)])
    if !constants.isEmpty {
      if sample.labelCount > 0 { page.append(UInt8(ascii: ",")) }
      page.append(contentsOf: constants)
    }
    page.append(UInt8(ascii: "}"))
  }

  private func append(
    _ histogram: HistogramSample, _ sample: Sample, _ name: [UInt8], _ labels: [UInt8],
    _ constants: [UInt8], to page: inout [UInt8]
  ) {
    var shared: [UInt8] = []
    appendLabels(of: sample, labels, constants, to: &shared)
    // All buckets begin alike: `name_bucket{labels,`.
    var start = name + bucketSuffix
    if shared.isEmpty {
      start.append(UInt8(ascii: "{"))
    } else {
      start.append(contentsOf: shared.dropLast())
      start.append(UInt8(ascii: ","))
    }
    for (edge, value) in zip(histogram.edges.labels, histogram.cumulative + [histogram.count]) {
      page.append(contentsOf: start)
      page.append(contentsOf: edge)
      appendNumber(value, to: &page)
      page.append(lineFeed)
    }
    for (suffix, value) in [(sumSuffix, histogram.sum), (countSuffix, histogram.count)] {
      guard let value else { continue }
      page.append(contentsOf: name)
      page.append(contentsOf: suffix)
      page.append(contentsOf: shared)
      page.append(space)
      appendNumber(value, to: &page)
      page.append(lineFeed)
    }
  }
}

private let bucketSuffix = Array("_bucket".utf8)
private let sumSuffix = Array("_sum".utf8)
private let countSuffix = Array("_count".utf8)
private let space = UInt8(ascii: " ")
private let lineFeed = UInt8(ascii: "\n")

/// Appends the shortest text that reads back as the same number; whole numbers without exponent up to 2^53.
func appendNumber(_ value: Double, to bytes: inout [UInt8]) {
  if value.magnitude <= 9_007_199_254_740_992, value == value.rounded(.towardZero) {
    appendInteger(Int64(value), to: &bytes)
  } else if value.isNaN {
    bytes.append(contentsOf: "NaN".utf8)
  } else if value.isInfinite {
    bytes.append(contentsOf: (value < 0 ? "-Inf" : "+Inf").utf8)
  } else {
    bytes.append(contentsOf: value.description.utf8)
  }
}

private func appendInteger(_ value: Int64, to bytes: inout [UInt8]) {
  if value < 0 { bytes.append(UInt8(ascii: "-")) }
  var rest = value.magnitude
  let start = bytes.count
  repeat {
    bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
    rest /= 10
  } while rest > 0
  bytes[start...].reverse()
}
