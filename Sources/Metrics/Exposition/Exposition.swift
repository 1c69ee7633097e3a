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
  /// - Complexity: linear in samples, plus sources times families; the latter is a comparison of two small numbers each.
  public func write<Failure: Error>(
    _ sources: [Samples], chunkBytes: Int = 64 << 10, to flush: ([UInt8]) throws(Failure) -> Void
  ) throws(Failure) {
    var page = PageWriter(capacity: chunkBytes + 4096)
    let order = FamilyTable.shared.order
    let headers = HeaderCache.shared.headers(format, namespace, order)
    // Which run each source has next, and where its numbers begin.
    var cursors = [(run: Int, value: Int)](repeating: (0, 0), count: sources.count)
    // The rank of the family that each source has next. A flat array of their own: with thousands of sources, looking
    // into each one for every family takes longer than writing the page.
    var ranks = sources.map { $0.rank(at: 0, order) }
    while let rank = ranks.min(), rank < Samples.noRank {
      let family = order.families[Int(rank)]
      let isShown = names?.contains(fullName(of: family)) ?? true
      let name = headers.names[Int(rank)]
      if isShown { page.append(headers.headers[Int(rank)]) }
      for index in ranks.indices where ranks[index] == rank {
        let source = sources[index]
        let run = source.runs[cursors[index].run]
        if isShown {
          try write(run, of: source, from: cursors[index].value, name, to: &page) { page throws(Failure) in
            if page.count >= chunkBytes { try flush(page.take()) }
          }
        }
        cursors[index].run += 1
        cursors[index].value += run.valueCount
        ranks[index] = source.rank(at: cursors[index].run, order)
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

  private func write<Failure: Error>(
    _ run: SeriesRun, of source: Samples, from start: Int, _ name: [UInt8], to page: inout PageWriter,
    afterEach: (inout PageWriter) throws(Failure) -> Void
  ) throws(Failure) {
    var (label, value) = (0, start)
    for one in run.series {
      let labels = label..<Int(one.labelEnd)
      label = labels.upperBound
      if one.part.isHistogram {
        value = writeHistogram(run, one, labels, of: source, from: value, name, to: &page)
      } else {
        page.appendLine(name, one.part.suffix, run.labels, labels, source.constantLabels, source.values[value])
        value += 1
      }
      try afterEach(&page)
    }
  }

  /// - Returns: where the numbers of the next series begin.
  private func writeHistogram(
    _ run: SeriesRun, _ one: SeriesRun.Series, _ labels: Range<Int>, of source: Samples, from start: Int,
    _ name: [UInt8], to page: inout PageWriter
  ) -> Int {
    // All buckets begin alike, `name_bucket{labels,`, and repeat what the first began with.
    let headStart = page.count
    page.appendHead(name, bucketSuffix, run.labels, labels, source.constantLabels)
    let headCount = page.count - headStart
    let edges = run.edges[Int(one.edges)]
    for index in 0...edges.count {
      if index > 0 { page.repeatBytes(from: headStart, count: headCount) }
      page.append(edges.labels[index])
      page.append(source.values[start + index])
      page.append(UInt8(ascii: "\n"))
    }
    let count = start + edges.count
    if one.part == .histogram {
      page.appendLine(name, sumSuffix, run.labels, labels, source.constantLabels, source.values[count + 1])
    }
    page.appendLine(name, countSuffix, run.labels, labels, source.constantLabels, source.values[count])
    return start + run.valueCount(of: one)
  }
}

extension SamplePart {
  fileprivate var suffix: [UInt8] {
    switch self {
    case .value, .summary: noSuffix
    case .sum: sumSuffix
    case .count: countSuffix
    case .histogram, .sumlessHistogram: bucketSuffix
    }
  }
}

private let noSuffix: [UInt8] = []
private let bucketSuffix = Array("_bucket".utf8)
private let sumSuffix = Array("_sum".utf8)
private let countSuffix = Array("_count".utf8)
private let endOfPage = Array("# EOF\n".utf8)
