/// The values of some families of a page, source by source, taken from its samples once for all who read them.
public struct PageValues: Sendable {
  public struct Source: Sendable, Equatable {
    /// Where its values begin among all.
    public let start: Int
    public let count: Int
    /// Another number whenever its series are others; no two sources have the same.
    public let stamp: Int

    public var range: Range<Int> { start..<(start + count) }
  }

  /// Of each family, by ``Family/id``: whether its values were taken.
  public let isTaken: [Bool]
  /// In the order of the page's sources.
  public fileprivate(set) var sources: [Source] = []
  /// In the order of ``Samples/forEachSeries(of:namespace:areEdgesFloats:_:)``, one source after another.
  public fileprivate(set) var values: [Double] = []

  fileprivate init(of isTaken: [Bool]) { self.isTaken = isTaken }
}

/// Takes values from page after page, and finds out which sources have other series than before.
public struct PageValuesReader: Sendable {
  private struct Known {
    let runs: [SeriesRun]
    let constantLabels: [UInt8]
    let stamp: Int

    /// Whether samples have the same series of some families.
    func isSame(as samples: Samples, of isWanted: [Bool]) -> Bool {
      guard constantLabels == samples.constantLabels else { return false }
      // Runs are shared, so most sources are done with after a glance.
      if runs.elementsEqual(samples.runs, by: ===) { return true }
      return runs.lazy.filter { isWanted[Int($0.family)] }
        .elementsEqual(samples.runs.lazy.filter { isWanted[Int($0.family)] }, by: ===)
    }
  }

  private var families: FamilySelection
  private var known: [String: Known] = [:]
  private var stamp = 0
  /// How many values the last page had.
  private var valueCount = 0

  public init(_ families: FamilySelection) { self.families = families }

  /// Takes the values of other families from the next page on. No stamp comes again.
  public mutating func select(_ families: FamilySelection) {
    self.families = families
    known = [:]
  }

  public mutating func values(of page: Registry.Page) -> PageValues {
    var taken = PageValues(of: families.flags())
    taken.sources.reserveCapacity(page.sources.count)
    taken.values.reserveCapacity(valueCount + valueCount / 16)
    for (key, samples) in zip(page.keys, page.sources) {
      let start = taken.values.count
      samples.appendValues(of: taken.isTaken, to: &taken.values)
      var newest = stamp + 1
      if let known = known[key], known.isSame(as: samples, of: taken.isTaken) { newest = known.stamp }
      stamp = max(stamp, newest)
      known[key] = Known(runs: samples.runs, constantLabels: samples.constantLabels, stamp: newest)
      taken.sources.append(PageValues.Source(start: start, count: taken.values.count - start, stamp: newest))
    }
    if known.count > page.keys.count {
      let here = Set(page.keys)
      known = known.filter { here.contains($0.key) }
    }
    valueCount = taken.values.count
    return taken
  }
}
