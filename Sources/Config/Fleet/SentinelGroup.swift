/// The Sentinels that watch a workload's master. One Sentinel may serve many workloads, each by its `masterName`.
public struct SentinelGroup: Sendable, Equatable {
  static let defaultPort = 26379

  public let masterName: String
  /// Sentinels to start from; never empty. The others are learnt from them.
  public let seeds: [SeedAddress]
  /// For the Sentinels alone: the workload's own credentials never go to them.
  public let login: LoginConfig?
  /// For the Sentinels alone; nil for connections without TLS.
  public let tls: TLSConfig?

  init(_ fields: MappingReader) {
    masterName = fields.required("master_name", .nonEmptyString, "Name of the master on the Sentinels.")
    let seeds = readSeeds(fields, defaultPort: Self.defaultPort)
    if seeds.isEmpty { fields.report("seeds", problem: "is missing", hint: "name at least one Sentinel") }
    login =
      fields.mapping("credentials", "Login of the Sentinels; they never get that of the servers.") {
        LoginConfig($0)
      } ?? nil
    tls = TLSConfig.settled(fields, seeds: seeds, inherited: nil)
    self.seeds = seeds.map(\.withoutScheme)
  }
}

/// The addresses under `seeds`; one given twice is an error.
func readSeeds(_ fields: MappingReader, defaultPort: Int) -> [SeedAddress] {
  let seeds = fields.list(
    "seeds", of: .seed(defaultPort: defaultPort), "Addresses to start from; at least one, the other members are found.")
  let limit = 1000
  if seeds.count > limit { fields.report("seeds", problem: "has more than \(limit) addresses") }
  var seen: Set<SeedAddress.Endpoint> = [.unix(path: "")]
  var twice: SeedAddress?
  for seed in seeds where !seen.insert(seed.endpoint).inserted && seed.endpoint != .unix(path: "") { twice = seed }
  if let twice { fields.report("seeds", value: twice.description, problem: "is given twice") }
  return seeds
}
