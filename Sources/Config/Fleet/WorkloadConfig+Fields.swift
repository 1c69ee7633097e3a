extension WorkloadConfig {
  init(_ fields: MappingReader, defaults: WorkloadDefaults) {
    name = fields.required("name", .plainName)
    let kind = fields.required("kind", .oneOf(WorkloadKind.self, noun: "a workload kind"))
    self.kind = kind
    let brought = kind.defaults
    let givenTopology = fields.optional("topology", .oneOf(Topology.self, noun: "a topology"))
    if givenTopology == nil, brought.topology == nil {
      fields.report("topology", problem: "is missing", hint: "kind \(kind) has none of its own")
    }
    let topology = givenTopology ?? brought.topology ?? .static
    self.topology = topology

    let seeds = readSeeds(fields, defaultPort: 6379)
    self.seeds = seeds.map(\.withoutScheme)
    sentinel = fields.mapping("sentinel") { SentinelGroup($0) }
    Self.checkSources(fields, topology: topology, seeds: seeds, hasSentinel: sentinel != nil)
    login = fields.mapping("credentials") { LoginConfig($0) } ?? nil
    tls = TLSConfig.settled(fields, seeds: seeds, inherited: defaults.tls)

    let members = topology == brought.topology ? brought.members : topology.members
    expected = fields.mapping("expected") { MemberCounts($0, topology: topology, base: members) } ?? members
    let eviction = EvictionPolicy(fields, base: brought.eviction)
    self.eviction = eviction
    persistence =
      fields.mapping("persistence") { PersistencePolicy($0, base: brought.persistence) } ?? brought.persistence
    var base = brought.objectives
    base.memoryPages = eviction.permission != .allowed
    let objectives = fields.mapping("objectives") { Objectives($0, base: base) } ?? base
    self.objectives = objectives
    peak = fields.mapping("peak") { PeakProfile($0, base: objectives, eviction: eviction) }

    pollInterval = fields.value("poll_interval", .pollInterval, default: defaults.pollInterval)
    timeout = fields.value("timeout", .duration(), default: defaults.timeout)
    environment = fields.optional("environment", .labelValue) ?? defaults.environment
    team = fields.optional("team", .labelValue) ?? defaults.team
    labels = LabelRules.read(fields, inherited: defaults.labels)
    maintenance = Schedule(fields.list("maintenance", of: .window)).joined(defaults.maintenance)
    let rewrites = fields.mappings("address_rewrites") { AddressRewrite($0) }
    addressRewrites = rewrites + defaults.addressRewrites.filter { !rewrites.contains($0) }
    watches = fields.mapping("watches") { KeyWatches($0, kind: kind) } ?? KeyWatches(nil, kind: kind)
    aliases = Self.aliases(fields)
  }

  private static func checkSources(
    _ fields: MappingReader, topology: Topology, seeds: [SeedAddress], hasSentinel: Bool
  ) {
    if topology == .sentinel {
      if !hasSentinel {
        fields.report("sentinel", problem: "is missing", hint: "topology sentinel needs master_name and seeds there")
      }
      if fields.contains("seeds") {
        fields.report(
          "seeds", problem: "has no place in topology sentinel", hint: "name the Sentinels in sentinel.seeds")
      }
    } else {
      if !fields.contains("seeds") || (seeds.isEmpty && fields.hasEmptyList("seeds")) {
        fields.report("seeds", problem: "is missing", hint: "name at least one server")
      }
      if hasSentinel { fields.report("sentinel", problem: "needs topology: sentinel") }
    }
  }

  private static func aliases(_ fields: MappingReader) -> [String: String] {
    fields.mapping("aliases") { names -> [String: String] in
      var result: [String: String] = [:]
      for key in names.keys {
        let alias = names.required(key, .labelValue)
        do throws(Mismatch) {
          let address = try SeedAddress.parse(key, defaultPort: 6379).description
          if result[address] != nil { names.report(key, problem: "names the same address twice") }
          if !alias.isEmpty, result.values.contains(alias) {
            names.report(key, value: alias, problem: "is the alias of another address as well")
          }
          result[address] = alias
        } catch {
          fields.report("aliases", value: error.part ?? key, problem: error.problem, hint: error.hint)
        }
      }
      return result
    } ?? [:]
  }
}
