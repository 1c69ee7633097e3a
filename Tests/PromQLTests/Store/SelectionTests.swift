import TestSupport
import Testing

@testable import PromQL

@Suite struct SelectionTests {
  private static let values = ["", "a", "b", "ab", "redis-1", "redis-2", "redis-10", "ünï", "x|y", "\n"]
  private static let names = ["__name__", "instance", "job", "cmd"]

  /// A store in which series came and went, and the labels that are in it.
  private static func crowd(_ seed: UInt64) throws -> (store: SeriesStore, labels: [Labels]) {
    var random = FixedRandom(state: seed)
    let bench = StoreBench(keeping: HistoryPolicy(defaultMilliseconds: 1000))
    var living: Set<Labels> = []
    for round in 0..<6 {
      let time = Int64(round) * 10_000
      var batch: [Labels: Double] = [:]
      for _ in 0..<60 {
        let labels = Labels(names.map { Labels.Pair($0, values.randomElement(using: &random)!) })
        batch[labels] = 1
      }
      for labels in living where random.isOnce(in: 2) { batch[labels] = 2 }
      try bench.append(batch, at: time)
      living = Set(batch.keys)
      // Ends a block, so that what is gone can go.
      let samples = try bench.batch(batch)
      for step in 1...241 {
        try bench.store.append(samples, atMilliseconds: time + Int64(step), from: bench.origin("node"))
      }
      bench.store.expire(nowMilliseconds: time + 1200)
    }
    return (bench.store, Array(living))
  }

  private static func matcher(_ random: inout FixedRandom) throws -> LabelMatcher {
    let name = (names + ["nowhere"]).randomElement(using: &random)!
    let comparison = LabelMatcher.Comparison.allCases.randomElement(using: &random)!
    let isRegex = comparison == .matches || comparison == .matchesNot
    let patterns = [
      "", ".*", ".+", "a|b", "a|", "redis-.*", "redis-(1|2)", "[^a]*", "x\\|y", "redis-1|redis-10|none", ".",
    ]
    return try LabelMatcher(name, comparison, (isRegex ? patterns : values + ["none"]).randomElement(using: &random)!)
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func findsWhatEveryMatcherMatches(_ seed: UInt64) throws {
    let (store, labels) = try Self.crowd(seed)
    #expect(store.seriesCount == labels.count)
    var random = FixedRandom(state: seed + 100)
    var found = 0
    for _ in 0..<150 {
      let matchers = try (0..<Int.random(in: 0...3, using: &random)).map { _ in try Self.matcher(&random) }
      let expected = labels.filter { labels in matchers.allSatisfy { $0.matches(labels) } }.sorted()
      let text = matchers.map(\.description).joined(separator: ", ")
      #expect(store.series(matching: [matchers]) == expected, "{\(text)}")
      let selected = try store.select(matchers, fromMilliseconds: .min, throughMilliseconds: .max)
      #expect(selected.map(\.labels).sorted() == expected, "{\(text)}")
      found += expected.count
      let values = Set(expected.compactMap { $0["instance"] }).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      #expect(store.labelValues(of: "instance", matching: [matchers]) == values)
      #expect(Set(store.labelNames(matching: [matchers])) == Set(expected.flatMap { $0.pairs.map(\.name) }))
    }
    #expect(found > 500)
  }

  @Test func listsUniteTheirFindings() throws {
    let (store, labels) = try Self.crowd(9)
    let lists = [[try LabelMatcher("job", .equal, "a")], [try LabelMatcher("cmd", .equal, "b")]]
    #expect(store.series(matching: lists) == labels.filter { $0["job"] == "a" || $0["cmd"] == "b" }.sorted())
    #expect(store.labelNames() == ["__name__", "cmd", "instance", "job"])
    #expect(
      store.labelValues(of: "job")
        == Self.values.filter { !$0.isEmpty }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    #expect(store.labelValues(of: "nowhere").isEmpty)
    #expect(store.series(matching: [[]], within: Int64.max...Int64.max).isEmpty)
  }

  @Test func intersectionsAreThoseOfSets() {
    var random = FixedRandom(state: 4)
    for _ in 0..<300 {
      let lists = (0..<2).map { _ in
        let limit = UInt32.random(in: 1...400, using: &random)
        let count = Int.random(in: 0...80, using: &random)
        return Set((0..<count).map { _ in UInt32.random(in: 0..<limit, using: &random) }).sorted()
      }
      #expect(PostingList.intersection(lists[0], lists[1]) == Set(lists[0]).intersection(lists[1]).sorted())
    }
  }

  @Test func postingsStayInOrder() {
    var random = FixedRandom(state: 5)
    var list = PostingList()
    var expected: Set<UInt32> = []
    for _ in 0..<2000 {
      let slot = UInt32.random(in: 0..<500, using: &random)
      if expected.insert(slot).inserted { list.insert(slot) }
      if random.isOnce(in: 20) { #expect(list.slots() == expected.sorted()) }
      if random.isOnce(in: 50) {
        list.removeAll { $0 % 3 == slot % 3 }
        expected = expected.filter { $0 % 3 != slot % 3 }
      }
    }
    #expect(list.slots() == expected.sorted())
    #expect(list.count == expected.count)
  }
}
