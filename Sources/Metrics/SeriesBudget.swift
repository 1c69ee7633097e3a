/// What is left out of the series of one part of a page, so that they stay within a number.
///
/// Whole families are, so that no sum is wrong: those with the most series first, by name among equals. A family that has no
/// more than one series of each source stays, whatever the number is: what says whether servers are up is not given up for it.
public struct SeriesBudget: Sendable {
  /// The families that are left out, with how many series each has; those with the most first.
  public let leftOut: [(family: Family, count: Int)]
  /// All series, with those that are left out.
  public let count: Int

  /// - Parameters:
  ///   - limit: the most series.
  ///   - sources: of the part.
  public init(limit: Int, of sources: [Samples]) {
    count = sources.reduce(0) { $0 + $1.count }
    guard count > limit else {
      leftOut = []
      return
    }
    var seriesByFamily: [Int32: (series: Int, sources: Int)] = [:]
    for source in sources {
      for run in source.runs {
        let known = seriesByFamily[run.family] ?? (0, 0)
        seriesByFamily[run.family] = (known.series + run.seriesCount, known.sources + 1)
      }
    }
    let families = FamilyTable.shared.order.families
    let byID = Dictionary(families.map { (Int32($0.id), $0) }, uniquingKeysWith: { first, _ in first })
    let candidates = seriesByFamily.compactMap { id, known -> (family: Family, count: Int)? in
      guard known.series > known.sources, let family = byID[id] else { return nil }
      return (family, known.series)
    }.sorted { ($1.count, $0.family.name) < ($0.count, $1.family.name) }
    var left = count
    var leftOut: [(family: Family, count: Int)] = []
    for candidate in candidates where left > limit {
      leftOut.append(candidate)
      left -= candidate.count
    }
    self.leftOut = leftOut
  }

  /// The same samples without what is left out.
  public func limited(_ samples: Samples) -> Samples {
    guard !leftOut.isEmpty else { return samples }
    let ids = Set(leftOut.map { Int32($0.family.id) })
    var builder = SamplesBuilder()
    samples.forEachRun { run, values in
      if !ids.contains(run.family) { builder.append(run, values) }
    }
    return builder.samples(constantLabels: samples.constantLabels, mask: samples.mask)
  }
}
