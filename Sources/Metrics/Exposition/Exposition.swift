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
    var page = PageWriter(capacity: chunkBytes + 4096)
    var cursors = [Int](repeating: 0, count: sources.count)
    let order = FamilyTable.shared.order
    let headers = HeaderCache.shared.headers(format, namespace, order)
    while let rank = nextRank(sources, cursors, order) {
      let family = order.families[Int(rank)]
      let isShown = names?.contains(fullName(of: family)) ?? true
      let name = headers.names[Int(rank)]
      if isShown { page.append(headers.headers[Int(rank)]) }
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
              try flush(page.take())
            }
          }
        }
        cursors[index] = end
      }
    }
    if format == .openMetrics { page.append(endOfPage) }
    if page.count > 0 { try flush(page.take()) }
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
    _ sample: Sample, _ name: [UInt8], _ labels: [UInt8], _ constants: [UInt8], to page: inout PageWriter
  ) {
    page.append(name)
    switch sample.part {
    case .value, .summary, .histogram: break
    case .sum: page.append(sumSuffix)
    case .count: page.append(countSuffix)
    }
    appendLabels(of: sample, labels, constants, closedBy: closingBrace, to: &page)
    page.append(space)
    page.append(sample.value)
    page.append(lineFeed)
  }

  /// `{a="x",b="y"` and what is to follow, or nothing.
  private func appendLabels(
    of sample: Sample, _ labels: [UInt8], _ constants: [UInt8], closedBy end: [UInt8], to page: inout PageWriter
  ) {
    guard sample.labelCount > 0 || !constants.isEmpty else { return }
    page.append(openingBrace)
    page.append(labels, from: Int(sample.labelStart), count: Int(sample.labelCount))
    if !constants.isEmpty {
      if sample.labelCount > 0 { page.append(comma) }
      page.append(constants)
    }
    page.append(end)
  }

  private func append(
    _ histogram: HistogramSample, _ sample: Sample, _ name: [UInt8], _ labels: [UInt8],
    _ constants: [UInt8], to page: inout PageWriter
  ) {
    // All buckets begin alike: `name_bucket{labels,`.
    var head = PageWriter(capacity: 256)
    head.append(name)
    head.append(bucketSuffix)
    appendLabels(of: sample, labels, constants, closedBy: comma, to: &head)
    if sample.labelCount == 0, constants.isEmpty { head.append(openingBrace) }
    let start = head.take()
    for index in 0...histogram.edges.count {
      page.append(start)
      page.append(histogram.edges.labels[index])
      page.append(index < histogram.edges.count ? histogram.cumulative[index] : histogram.count)
      page.append(lineFeed)
    }
    if let sum = histogram.sum { appendTotal(sumSuffix, sum, sample, name, labels, constants, to: &page) }
    appendTotal(countSuffix, histogram.count, sample, name, labels, constants, to: &page)
  }

  private func appendTotal(
    _ suffix: [UInt8], _ value: Double, _ sample: Sample, _ name: [UInt8], _ labels: [UInt8],
    _ constants: [UInt8], to page: inout PageWriter
  ) {
    page.append(name)
    page.append(suffix)
    appendLabels(of: sample, labels, constants, closedBy: closingBrace, to: &page)
    page.append(space)
    page.append(value)
    page.append(lineFeed)
  }
}

private let bucketSuffix = Array("_bucket".utf8)
private let sumSuffix = Array("_sum".utf8)
private let countSuffix = Array("_count".utf8)
private let openingBrace = Array("{".utf8)
private let closingBrace = Array("}".utf8)
private let comma = Array(",".utf8)
private let space = Array(" ".utf8)
private let lineFeed = Array("\n".utf8)
private let endOfPage = Array("# EOF\n".utf8)
