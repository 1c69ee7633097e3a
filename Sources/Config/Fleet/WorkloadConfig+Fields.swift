extension WorkloadConfig {
  init(_ fields: MappingReader, defaults: WorkloadDefaults, watches: [any ConfiguredWatch.Type]) {
    name = fields.required("name", .plainName, "The label `workload`; no other workload has it.")
    let kind = fields.required(
      "kind", .oneOf(WorkloadKind.self, noun: "a workload kind"),
      "Kind of workload; gives the defaults of topology, counts, policies and objectives.")
    self.kind = kind
    let brought = kind.defaults
    let givenTopology = fields.optional(
      "topology", .oneOf(Topology.self, noun: "a topology"), "How members are found and followed.",
      shown: brought.topology?.rawValue ?? "")
    if givenTopology == nil, brought.topology == nil {
      fields.report("topology", problem: "is missing", hint: "kind \(kind) has none of its own")
    }
    let topology = givenTopology ?? brought.topology ?? .static
    self.topology = topology

    let seeds = readSeeds(fields, defaultPort: 6379)
    self.seeds = seeds.map(\.withoutScheme)
    sentinel = fields.mapping("sentinel", "The Sentinels; needed with topology `sentinel`, which has no `seeds`.") {
      SentinelGroup($0)
    }
    Self.checkSources(fields, topology: topology, seeds: seeds, hasSentinel: sentinel != nil)
    let givenRedlock = fields.mapping("redlock", "How clients lock with its servers; with topology `redlock`.") {
      RedlockConfig($0)
    }
    redlock = topology == .redlock ? givenRedlock ?? RedlockConfig() : nil
    Self.checkRedlock(fields, topology: topology, kind: kind, seeds: seeds, isGiven: givenRedlock != nil)
    login =
      fields.mapping("credentials", "Login of the servers; leave it out for servers without a password.") {
        LoginConfig($0)
      } ?? nil
    tls = TLSConfig.settled(fields, seeds: seeds, inherited: defaults.tls)

    let members = topology == brought.topology ? brought.members : topology.members
    expected =
      fields.mapping("expected", "Expected number of members; missing ones are a finding.") {
        MemberCounts($0, topology: topology, base: members)
      } ?? members
    self.members =
      fields.mapping("members", "Which announced servers may be members; the seeds always may.") { MemberRules($0) }
      ?? MemberRules()
    let eviction = EvictionPolicy(fields, base: brought.eviction)
    self.eviction = eviction
    persistence =
      fields.mapping("persistence", "How masters must persist.") { PersistencePolicy($0, base: brought.persistence) }
      ?? brought.persistence
    var base = brought.objectives
    base.memoryPages = eviction.permission != .allowed
    base.verified = defaults.verified
    let objectives =
      fields.mapping("objectives", "Objectives, which alerts compare with.") { fields in
        var objectives = Objectives(fields, base: base)
        objectives.verified = VerifiedObjectives(in: fields, base: base.verified)
        return objectives
      } ?? base
    self.objectives = objectives
    let counts = expected
    peak = fields.mapping("peak", "Other objectives for declared windows.") {
      PeakProfile($0, base: objectives, eviction: eviction, topology: topology, expected: counts)
    }

    degraded = fields.mapping(
      "degraded", "What the workload does while Redis is lost; shown in runbooks, on pages and in notifications."
    ) { DegradedMode($0) }

    pollInterval = fields.value(
      "poll_interval", .pollInterval, default: defaults.pollInterval, "Time between two polls of a server.")
    timeout = fields.value("timeout", .duration(), default: defaults.timeout, "Deadline of one whole poll.")
    maxSeries =
      fields.optional("max_series", .int(100...100_000_000), WorkloadDefaults.maxSeriesMeaning) ?? defaults.maxSeries
    environment = fields.optional("environment", .labelValue, "The label `environment`.") ?? defaults.environment
    team = fields.optional("team", .labelValue, "Label of `redis_workload_info`.") ?? defaults.team
    labels = LabelRules.read(fields, inherited: defaults.labels)
    maintenance = Schedule(
      fields.list("maintenance", of: .window, "Windows of planned work, in addition to those of the whole file.")
    ).joined(defaults.maintenance)
    let rewrites = fields.mappings(
      "address_rewrites", "Rules for announced addresses, applied before those of the whole file."
    ) { AddressRewrite($0) }
    addressRewrites = rewrites + defaults.addressRewrites.filter { !rewrites.contains($0) }
    regions = defaults.regions
    self.watches =
      fields.mapping("watches", "Keys that are looked for.") { KeyWatches($0, kind: kind, watches: watches) }
      ?? KeyWatches(nil, kind: kind, watches: watches)
    keyspace = fields.mapping("keyspace", "How its keys are sampled; without it they are not.") { KeyspaceConfig($0) }
    disruptive = fields.value(
      "disruptive", .oneOf(Disruption.self, noun: "an answer"), default: .refused,
      "Whether `redline drill` and `redline load run` may write to it and kill its servers.")
    drill = fields.mapping("drill", "How these commands log in; they never use `credentials`.") { DrillConfig($0) }
    backup =
      fields.mapping("backup", "The backup that `redline backup verify` tries out.") { BackupConfig($0) }
      ?? BackupConfig()
    audit =
      fields.mapping("audit", "How the security of its servers is looked over.") {
        AuditConfig($0, folder: defaults.folder, base: defaults.audit)
      } ?? defaults.audit
    declared = fields.mapping("declared", "The files that say how its servers should be set.") {
      DeclaredConfig($0, folder: defaults.folder, topology: topology)
    }
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

  private static func checkRedlock(
    _ fields: MappingReader, topology: Topology, kind: WorkloadKind, seeds: [SeedAddress], isGiven: Bool
  ) {
    guard topology == .redlock else {
      if isGiven { fields.report("redlock", problem: "needs topology: redlock") }
      return
    }
    if kind != .custom {
      fields.report("topology", value: "redlock", problem: "needs kind: custom", hint: "its servers hold locks alone")
    }
    if !seeds.isEmpty, seeds.count < RedlockConfig.leastServers {
      fields.report(
        "seeds", value: "\(seeds.count) servers", problem: "are too few for Redlock",
        hint: "name all of its masters: three, five or another odd number")
    }
  }

  private static func aliases(_ fields: MappingReader) -> [String: String] {
    fields.mapping("aliases", "Names for the label `instance`, by address.") { names -> [String: String] in
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
          let error = error.of(address: key)
          fields.report(
            "aliases", value: error.isUnshown ? nil : error.part ?? key, problem: error.problem, hint: error.hint)
        }
      }
      return result
    } ?? [:]
  }
}
