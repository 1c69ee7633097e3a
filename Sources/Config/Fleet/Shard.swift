import Runtime

/// Which part of a file's workloads a daemon watches, one of several that share them: `3/10`.
public struct Shard: Sendable, Hashable, CustomStringConvertible {
  /// The most daemons that one file is shared by.
  public static let limit = 256

  /// 1 to ``count``.
  public let index: Int
  /// 1 to ``limit``.
  public let count: Int

  /// - Precondition: 1 <= index <= count <= limit.
  public init(_ index: Int, of count: Int) {
    precondition((1...Self.limit).contains(count) && (1...count).contains(index), "no shard \(index)/\(count)")
    (self.index, self.count) = (index, count)
  }

  public var description: String { "\(index)/\(count)" }

  /// - Throws: for what is not I/N, with I from 1 to N.
  public static func parse(_ text: String) throws(Mismatch) -> Shard {
    let hint = "write I/N, such as 3/10: the third of ten"
    let halves = text.split(separator: "/", omittingEmptySubsequences: false)
    let numbers = halves.map { half in half.utf8.allSatisfy(\.isASCIIDigit) ? Int(half) ?? Int.max : -1 }
    guard numbers.count == 2, !halves.contains(""), !numbers.contains(-1) else {
      throw Mismatch("is no shard", hint: hint)
    }
    guard (1...limit).contains(numbers[1]) else {
      throw Mismatch("has no number of shards from 1 to \(limit)", hint: hint)
    }
    guard (1...numbers[1]).contains(numbers[0]) else {
      throw Mismatch("has no shard from 1 to \(numbers[1])", hint: "shards are counted from 1")
    }
    return Shard(numbers[0], of: numbers[1])
  }
}

/// Which shard watches a workload. Every daemon works it out by itself, from the name alone, and all come to the same.
///
/// The owner is the shard with the highest SHA-256 of `WORKLOAD/SHARD` (rendezvous hashing): a further shard takes its part
/// from all the others, and no workload moves between those. This is fixed for good: versions that run side by side must agree.
public struct ShardPlan: Sendable, Equatable {
  /// How many shards there are, 1 to ``Shard/limit``.
  public let count: Int

  /// - Precondition: 1 <= count <= ``Shard/limit``.
  public init(count: Int) {
    precondition((1...Shard.limit).contains(count), "no plan for \(count) shards")
    self.count = count
  }

  /// - Returns: 1 to ``count``.
  public func owner(of workload: String) -> Int {
    var best = (index: 1, digest: Self.digest(workload, 1))
    for index in 1...count where index > 1 {
      let digest = Self.digest(workload, index)
      if best.digest.lexicographicallyPrecedes(digest) { best = (index, digest) }
    }
    return best.index
  }

  private static func digest(_ workload: String, _ index: Int) -> [UInt8] {
    SHA256.digest(Array("\(workload)/\(index)".utf8))
  }
}

/// A shard with who watches each workload of the file.
public struct ShardShare: Sendable, Equatable {
  public let shard: Shard
  /// The shard of each workload of the whole file.
  public let owners: [String: Int]
  /// The workloads that other shards watch, in the order of the file.
  public internal(set) var others: [WorkloadConfig] = []

  /// - Parameter names: of all workloads of the file.
  public init(_ shard: Shard, of names: [String]) {
    self.shard = shard
    let plan = ShardPlan(count: shard.count)
    owners = Dictionary(names.map { ($0, plan.owner(of: $0)) }, uniquingKeysWith: { first, _ in first })
  }

  public func owns(_ workload: String) -> Bool { owners[workload] == shard.index }

  /// The workloads of a shard, sorted.
  public func names(of index: Int) -> [String] { owners.filter { $0.value == index }.keys.sorted() }

  /// A line for each shard: `shard 2 of 3: 2 workloads: carts, pages`.
  public var lines: [String] {
    (1...shard.count).map { index in
      let names = names(of: index)
      let count = names.isEmpty ? "no workload" : "\(names.count) \(names.count == 1 ? "workload" : "workloads"): "
      return "shard \(index) of \(shard.count): \(count)\(names.joined(separator: ", "))"
    }
  }
}

extension FleetConfig {
  /// The same with those workloads alone that a shard watches, maybe none; all of them without one.
  public func share(of shard: Shard?) -> FleetConfig {
    guard let shard else { return self }
    var share = ShardShare(shard, of: workloads.map(\.name))
    share.others = workloads.filter { !share.owns($0.name) }
    var config = limited { share.owns($0.name) }
    config.share = share
    return config
  }
}
