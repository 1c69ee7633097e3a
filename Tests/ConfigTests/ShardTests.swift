import Testing

@testable import Config

@Suite struct ShardTests {
  private static let names = (0..<1000).map { "workload-\($0)" }

  /// The owners of the same names for several numbers of shards, from SHA-256 of another implementation: every version must
  /// come to these, or a workload is watched twice or never while versions run side by side.
  @Test(arguments: [
    (1, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
    (2, [2, 2, 2, 2, 1, 2, 1, 2, 2, 2]),
    (3, [2, 2, 2, 2, 3, 3, 1, 3, 2, 2]),
    (10, [6, 5, 6, 5, 3, 5, 6, 9, 2, 4]),
    (11, [6, 5, 6, 11, 3, 5, 6, 11, 2, 4]),
    (20, [6, 5, 18, 11, 17, 5, 16, 11, 2, 4]),
    (256, [56, 34, 143, 226, 245, 119, 161, 168, 36, 4]),
  ])
  func ownersAreTheSameInEveryVersion(count: Int, owners: [Int]) {
    let names = ["cache", "sessions", "queues", "carts", "pages", "locks", "w-0", "w-1", "w-999", "ü"]
    let plan = ShardPlan(count: count)
    #expect(names.map { plan.owner(of: $0) } == owners)
  }

  @Test(arguments: [1, 2, 3, 10, 20])
  func everyWorkloadIsWatchedOnce(count: Int) throws {
    let config = try Self.fleet(Self.names)
    let shares = (1...count).map { config.share(of: Shard($0, of: count)) }
    #expect(shares.flatMap(\.workloads).map(\.name).sorted() == Self.names.sorted())
    for share in shares {
      for workload in share.workloads { #expect(share.share?.owns(workload.name) == true) }
    }
  }

  /// A further shard takes its part from the others, and nothing moves between those.
  @Test(arguments: [1, 2, 3, 10, 20])
  func furtherShardMovesItsPartOnly(count: Int) {
    let (before, after) = (ShardPlan(count: count), ShardPlan(count: count + 1))
    let moved = Self.names.filter { before.owner(of: $0) != after.owner(of: $0) }
    for name in moved { #expect(after.owner(of: name) == count + 1) }
    let wanted = Double(Self.names.count) / Double(count + 1)
    #expect((0.7 * wanted...1.3 * wanted).contains(Double(moved.count)), "\(moved.count) of \(Self.names.count)")
  }

  @Test(arguments: [(10, 1.2), (20, 1.4)])
  func partsAreAboutAlike(count: Int, most: Double) {
    let sizes = Dictionary(grouping: Self.names) { ShardPlan(count: count).owner(of: $0) }.mapValues(\.count)
    let ratio = Double(sizes.values.max() ?? 0) * Double(count) / Double(Self.names.count)
    #expect(sizes.count == count)
    #expect(ratio <= most)
  }

  @Test func shardMayHaveNothing() throws {
    let share = try Self.fleet(["cache"]).share(of: Shard(1, of: 3))
    #expect(share.workloads.isEmpty)
    #expect(share.summary == "0 of 1 workloads, shard 1/3")
    #expect(
      share.share?.lines == [
        "shard 1 of 3: no workload", "shard 2 of 3: 1 workload: cache", "shard 3 of 3: no workload",
      ])
  }

  @Test func withoutShardAllAreWatched() throws {
    let config = try Self.fleet(["cache", "carts"])
    #expect(config.share(of: nil) == config)
  }

  @Test(arguments: ["1/1", "3/10", "256/256"])
  func shardIsRead(text: String) throws {
    #expect("\(try Shard.parse(text))" == text)
  }

  @Test(arguments: [
    "0/3", "4/3", "1/0", "1/257", "3", "/", "1/", "/3", "-1/3", "1/3/3", " 1/3", "a/b", "1/99999999999999999999",
    "٣/١٠",
  ])
  func whatIsNoShardIsRefused(text: String) {
    #expect(throws: Mismatch.self) { try Shard.parse(text) }
  }

  @Test func flagNeedsAFile() throws {
    let error = #expect(throws: ConfigErrors.self) { try OptionsTests.options(["--shard=1/3"]) }
    #expect("\(try #require(error))".contains("needs config.file"))
    let options = try OptionsTests.options(["--config.file=a.yml"], ["REDLINE_SHARD": "2/3"])
    #expect(options.shard == Shard(2, of: 3))
    #expect(try OptionsTests.options(["--config.file=a.yml"]).shard == nil)
  }

  private static func fleet(_ names: [String]) throws -> FleetConfig {
    let list = names.map { "  - {name: \($0), kind: cache, seeds: [a]}\n" }.joined()
    return try FleetConfig.parse(Array("workloads:\n\(list)".utf8), file: "redline.yml", watches: [])
  }
}
