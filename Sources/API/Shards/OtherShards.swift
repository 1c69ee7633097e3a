import Config
import Runtime

/// The workloads that other shards watch, by what those say.
///
/// Nothing that comes from there is trusted: a shard is believed about the workloads that the plan gives to it, and about no
/// others; which those are, and what kind, says the file. One that gives no answer leaves its workloads unknown.
public struct OtherShards: Sendable {
  /// What one of the daemons answered.
  public struct Answer: Sendable {
    /// Where it is, without a slash at the end.
    public let url: String
    /// `data` of its answer; nil for none.
    public let data: JSONValue?
    /// Why there is none, in a few words.
    public let problem: String

    public init(url: String, data: JSONValue?, problem: String = "") {
      (self.url, self.data, self.problem) = (url, data, problem)
    }
  }

  /// How another shard stands.
  struct Standing: Sendable {
    let index: Int
    /// nil where none of the daemons answers as this shard.
    let answer: Answer?
    /// Why not; empty where one does.
    let problem: String
  }

  /// The parameter by which a daemon is asked for what it watches itself.
  static let ownOnly = "shard=own"

  /// Nil where the daemon watches all workloads.
  let share: @Sendable () -> ShardShare?
  /// Asks each daemon of `shards.urls` for a path below `/api/v1/`, all at once and for a bounded time; none where there are
  /// no addresses.
  let ask: @Sendable (_ target: String) async -> [Answer]

  public init(
    share: @escaping @Sendable () -> ShardShare?, ask: @escaping @Sendable (_ target: String) async -> [Answer]
  ) {
    (self.share, self.ask) = (share, ask)
  }

  public static let none = OtherShards(share: { nil }, ask: { _ in [] })

  /// The other shards in their order, and their workloads by name; nothing where no addresses are configured.
  func fleet() async -> (shards: [Standing], workloads: [ForeignWorkload]) {
    guard let share = share() else { return ([], []) }
    let answers = await ask("fleet?\(Self.ownOnly)")
    guard !answers.isEmpty else { return ([], []) }
    let shards = Self.standings(share, answers)
    return (shards, share.others.map { Self.workload($0, share, shards) }.sorted { $0.name < $1.name })
  }

  /// A workload that another shard watches; nil where there is none of that name, or no addresses are configured.
  func workload(named name: String) async -> ForeignWorkload? {
    guard let share = share(), let config = share.others.first(where: { $0.name == name }) else { return nil }
    let answers = await ask("fleet/\(name.percentEncoded())?\(Self.ownOnly)")
    guard !answers.isEmpty else { return nil }
    return Self.workload(config, share, Self.standings(share, answers))
  }

  /// How the other shards stand, by what they say of themselves alone.
  func standings() async -> [Standing] {
    guard let share = share() else { return [] }
    let answers = await ask("shards?\(Self.ownOnly)")
    return answers.isEmpty ? [] : Self.standings(share, answers)
  }

  /// The number of each other shard, and whether a daemon answers as it.
  public func presence() async -> [(shard: Int, isThere: Bool)] {
    await standings().map { ($0.index, $0.answer != nil) }
  }

  static func standings(_ share: ShardShare, _ answers: [Answer]) -> [Standing] {
    let count = Double(share.shard.count)
    var problems = answers.filter { $0.data == nil }.map { "\($0.url): \($0.problem)" }
    problems += answers.compactMap { answer in
      guard let data = answer.data, data["shards"]?.number != count else { return nil }
      let said = data["shards"]?.number.map { "\(answer.url) is one of \(Int(clamping: $0)) shards" }
      return said ?? "\(answer.url) is no shard"
    }
    let known = problems.prefix(3).joined(separator: "; ")
    return (1...share.shard.count).filter { $0 != share.shard.index }.map { index in
      let found = answers.first { $0.data?["shard"]?.number == Double(index) && $0.data?["shards"]?.number == count }
      let reason = known.isEmpty ? "none of shards.urls is that one" : known
      return Standing(
        index: index, answer: found,
        problem: found == nil ? "shard \(index) of \(share.shard.count) gives no answer (\(reason))" : "")
    }
  }

  private static func workload(
    _ config: WorkloadConfig, _ share: ShardShare, _ shards: [Standing]
  ) -> ForeignWorkload {
    let owner = share.owners[config.name] ?? 0
    let shard = shards.first { $0.index == owner }
    let said = shard?.answer?.data?["workloads"]?.elements.first { $0["name"]?.string == config.name }
    let told = said.flatMap { ForeignWorkload.isUnderstood($0) ? $0 : nil }
    let what = said == nil ? "nothing of it" : "of it what is not understood here"
    let problem = told == nil ? "shard \(owner) of \(share.shard.count) says \(what)" : ""
    return ForeignWorkload(
      config: config, shard: owner, url: shard?.answer?.url, told: told,
      problem: shard?.answer == nil ? shard?.problem ?? problem : problem)
  }
}
