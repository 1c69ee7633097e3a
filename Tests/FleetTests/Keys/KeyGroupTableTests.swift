import Metrics
import Testing

@testable import Fleet

@Suite struct KeyGroupTableTests {
  private func table(_ patterns: [String], limit: Int = 1000, _ keys: [(String, Double?)]) throws -> KeyGroupTable {
    var table = KeyGroupTable(patterns: try patterns.map { try LuaPattern($0) }, limit: limit)
    for (key, bytes) in keys { table.add(Array(key.utf8), memoryBytes: bytes) }
    return table
  }

  @Test func theFirstPatternThatMatchesNamesTheGroup() throws {
    let table = try table(
      ["^(user):", "^(%a+):"], [("user:1", 10), ("user:2", 20), ("cart:1", 5), ("12", 1), ("13", nil)])
    let (shown, count) = table.summary(limit: 100)
    #expect(count == 3)
    #expect(
      shown == [
        .init(name: "cart", count: 1, memoryBytes: 5), .init(name: "unclassified", count: 2, memoryBytes: 1),
        .init(name: "user", count: 2, memoryBytes: 30),
      ])
  }

  @Test func aPatternWithoutCaptureNamesTheEmptyGroup() throws {
    #expect(try table(["^x"], [("xy", 3)]).summary(limit: 9).shown.map(\.name) == [""])
  }

  @Test func groupsWithTheLeastMemoryOverflow() throws {
    let table = try table(["^(%a)"], [("a1", 9), ("b1", 5), ("c1", 5), ("c2", 0), ("d1", 1)])
    let (shown, count) = table.summary(limit: 2)
    #expect(count == 4)
    // b and c take the same; b has fewer keys and stands first.
    #expect(
      shown == [
        .init(name: "a", count: 1, memoryBytes: 9), .init(name: "b", count: 1, memoryBytes: 5),
        .init(name: "overflow", count: 3, memoryBytes: 6),
      ])
  }

  @Test func asManyGroupsAsTheLimitDoNotOverflow() throws {
    let table = try table(["^(%a)"], [("a", 1), ("b", 1)])
    #expect(table.summary(limit: 2).shown.map(\.name) == ["a", "b"])
  }

  @Test func moreGroupsThanAreHeldStillCount() throws {
    let table = try table(["^(%d+)"], limit: 10, (0..<100).map { ("\($0)", 1) })
    let (shown, count) = table.summary(limit: 100)
    #expect(count == 10)
    #expect(shown.last == .init(name: "overflow", count: 90, memoryBytes: 90))
    #expect(shown.reduce(0) { $0 + $1.count } == 100)
  }
}
