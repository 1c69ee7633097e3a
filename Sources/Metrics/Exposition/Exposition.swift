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
  public func write(
    _ sources: [Samples], chunkBytes: Int = 64 << 10, to flush: ([UInt8]) throws -> Void
  ) rethrows {
    var page = PageWriter(capacity: chunkBytes + 4096)
    let order = FamilyTable.shared.order
    let headers = HeaderCache.shared.headers(format, namespace, order)
    var cursors = [Int](repeating: 0, count: sources.count)
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
        let end = source.endOfRun(of: family.id, from: cursors[index])
        if isShown {
          for cursor in cursors[index]..<end {
            append(source, source.samples[cursor], name, to: &page)
            if page.count >= chunkBytes { try flush(page.take()) }
          }
        }
        cursors[index] = end
        ranks[index] = source.rank(at: end, order)
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

  private func append(_ source: Samples, _ sample: Sample, _ name: [UInt8], to page: inout PageWriter) {
    switch sample.part {
    case .value, .summary: appendLine(source, sample, name, nil, sample.value, to: &page)
    case .sum: appendLine(source, sample, name, sumSuffix, sample.value, to: &page)
    case .count: appendLine(source, sample, name, countSuffix, sample.value, to: &page)
    case .histogram: appendHistogram(source, sample, name, to: &page)
    }
  }

  private func appendLine(
    _ source: Samples, _ sample: Sample, _ name: [UInt8], _ suffix: [UInt8]?, _ value: Double,
    to page: inout PageWriter
  ) {
    page.append(name)
    if let suffix { page.append(suffix) }
    if appendLabels(of: sample, source, to: &page) { page.append(UInt8(ascii: "}")) }
    page.append(UInt8(ascii: " "))
    page.append(value)
    page.append(UInt8(ascii: "\n"))
  }

  /// `{a="x",b="y"`, or nothing.
  /// - Returns: whether there are labels.
  private func appendLabels(of sample: Sample, _ source: Samples, to page: inout PageWriter) -> Bool {
    let hasConstants = !source.constantLabels.isEmpty
    guard sample.labelCount > 0 || hasConstants else { return false }
    page.append(UInt8(ascii: "{"))
    page.append(source.labelBytes, from: Int(sample.labelStart), count: Int(sample.labelCount))
    if hasConstants {
      if sample.labelCount > 0 { page.append(UInt8(ascii: ",")) }
      page.append(source.constantLabels)
    }
    return true
  }

  private func appendHistogram(_ source: Samples, _ sample: Sample, _ name: [UInt8], to page: inout PageWriter) {
    let histogram = source.histograms[Int(sample.value)]
    // All buckets begin alike, `name_bucket{labels,`, and repeat what the first began with.
    let start = page.count
    page.append(name)
    page.append(bucketSuffix)
    page.append(appendLabels(of: sample, source, to: &page) ? UInt8(ascii: ",") : UInt8(ascii: "{"))
    let headCount = page.count - start
    let edges = histogram.edges
    for index in 0...edges.count {
      if index > 0 { page.repeatBytes(from: start, count: headCount) }
      page.append(edges.labels[index])
      page.append(index < edges.count ? histogram.cumulative[index] : histogram.count)
      page.append(UInt8(ascii: "\n"))
    }
    if let sum = histogram.sum { appendLine(source, sample, name, sumSuffix, sum, to: &page) }
    appendLine(source, sample, name, countSuffix, histogram.count, to: &page)
  }
}

private let bucketSuffix = Array("_bucket".utf8)
private let sumSuffix = Array("_sum".utf8)
private let countSuffix = Array("_count".utf8)
private let endOfPage = Array("# EOF\n".utf8)
