extension FleetConfig {
  /// The file as it was understood, with everything filled in. It loads again to the same configuration, save for
  /// passwords that stood in the file itself: they print as `<secret>`, those elsewhere by their reference.
  public var resolvedText: String {
    var yaml = YAMLWriter()
    yaml.windows("maintenance", maintenance)
    yaml.rewrites(addressRewrites)
    yaml.regions(regions)
    yaml.alerting(alerting)
    yaml.mappings("workloads", workloads) { yaml, workload in yaml.workload(workload) }
    if let rules { yaml.mapping("rules") { $0.rules(rules) } }
    if rules != nil || history.retention != nil {
      yaml.mapping("history") { yaml in
        yaml.field("retention", history.retention.map(durationText))
        yaml.field("memory_mb", String(history.memoryBytes >> 20))
      }
    }
    if let recorder {
      yaml.mapping("recorder") { yaml in
        yaml.field("keep", durationText(recorder.keep))
        yaml.field("size", fileSizeText(recorder.sizeBytes))
        yaml.field("path", recorder.path)
      }
    }
    if rules != nil || !evidence.isEnabled {
      yaml.mapping("evidence") { $0.field("enabled", YAMLWriter.bool(evidence.isEnabled)) }
    }
    if let results {
      yaml.mapping("results") { yaml in
        yaml.field("path", results.path)
        if let token = results.token { yaml.secret("token", token) }
      }
    }
    if let token = marks?.token { yaml.mapping("marks") { $0.secret("token", token) } }
    yaml.shards(shards)
    return yaml.text
  }

  /// What a recording needs to judge again: the workloads, without logins, TLS and receivers of alerts.
  public var recordedText: String {
    var yaml = YAMLWriter()
    yaml.windows("maintenance", maintenance)
    yaml.rewrites(addressRewrites)
    yaml.regions(regions)
    yaml.mappings("workloads", workloads) { yaml, workload in yaml.workload(workload, hasLogins: false) }
    return yaml.text
  }
}

extension YAMLWriter {
  fileprivate mutating func rules(_ rules: RulesConfig) {
    list("files", rules.files)
    field("interval", durationText(rules.interval))
    field("scrape_interval", durationText(rules.scrapeInterval))
    field("query_offset", durationText(rules.queryOffset))
    field("runbooks", rules.runbooks)
    mappings("runbook_links", rules.runbookLinks) { yaml, link in
      yaml.field("title", link.title)
      yaml.field("url", link.url)
    }
    field("job", rules.job)
    field("instance", rules.instance)
    dictionary("external_labels", rules.externalLabels)
    field("external_url", rules.externalURL)
    field("dialect", rules.isDialect2 ? "2.x" : "3.x")
    field("watchdog", Self.bool(rules.hasWatchdog))
  }

  /// - Parameter hasLogins: whether logins and TLS are written.
  mutating func workload(_ workload: WorkloadConfig, hasLogins: Bool = true) {
    field("name", workload.name)
    field("kind", workload.kind.rawValue)
    field("topology", workload.topology.rawValue)
    field("environment", workload.environment)
    field("team", workload.team)
    dictionary("labels", workload.labels)
    list("seeds", workload.seeds.map(\.description))
    if hasLogins {
      login(workload.login)
      tls(workload.tls)
    }
    if let sentinel = workload.sentinel {
      mapping("sentinel") { yaml in
        yaml.field("master_name", sentinel.masterName)
        yaml.list("seeds", sentinel.seeds.map(\.description))
        if hasLogins {
          yaml.login(sentinel.login)
          yaml.tls(sentinel.tls)
        }
      }
    }
    if let redlock = workload.redlock {
      mapping("redlock") { $0.field("max_ttl", durationText(redlock.maxTTL)) }
    }
    rewrites(workload.addressRewrites)
    dictionary("aliases", workload.aliases)
    field("poll_interval", durationText(workload.pollInterval))
    field("timeout", durationText(workload.timeout))
    field("max_series", workload.maxSeries.map(String.init))
    expected(workload.expected, workload.topology)
    field("disruptive", workload.disruptive.rawValue)
    if hasLogins { drill(workload.drill) }
    backup(workload.backup)
    audit(workload.audit)
    if hasLogins, let declared = workload.declared {
      mapping("declared") { yaml in
        yaml.field("redis_conf", declared.redisConf)
        yaml.field("sentinel_conf", declared.sentinelConf)
        yaml.list("ignore", declared.ignored)
      }
    }
    if !workload.members.allowed.isEmpty { mapping("members") { $0.list("allow", workload.members.texts) } }
    field("eviction", workload.eviction.permission.rawValue)
    list("eviction_policies", workload.eviction.policies)
    mapping("persistence") { yaml in
      yaml.field("rdb", workload.persistence.isRDBOn.map(Self.bool) ?? "any")
      yaml.field("aof", workload.persistence.aof?.rawValue ?? "any")
    }
    if let degraded = workload.degraded {
      mapping("degraded") { yaml in
        yaml.field("on_redis_loss", degraded.choice.rawValue)
        yaml.field("note", degraded.note)
      }
    }
    objectives(workload.objectives, hasVerified: true)
    if let peak = workload.peak {
      mapping("peak") { yaml in
        yaml.windows("windows", peak.windows)
        yaml.objectives(peak.objectives)
        yaml.field("evictions_forbidden", Self.bool(peak.areEvictionsForbidden))
        if peak.expected != workload.expected { yaml.expected(peak.expected, workload.topology) }
      }
    }
    windows("maintenance", workload.maintenance)
    watches(workload.watches)
    keyspace(workload.keyspace)
  }

  private mutating func keyspace(_ keyspace: KeyspaceConfig?) {
    guard let keyspace else { return }
    mapping("keyspace") { yaml in
      yaml.field("enabled", Self.bool(keyspace.isEnabled))
      yaml.field("every", durationText(keyspace.interval))
      yaml.field("sample", "\(keyspace.sampleKeys)")
      yaml.field("intervals", Self.bool(keyspace.hasIntervals))
      yaml.mapping("prefixes") { yaml in
        yaml.field("separators", keyspace.separators)
        yaml.field("depth", "\(keyspace.depth)")
        yaml.field("max", "\(keyspace.maxPrefixes)")
      }
      yaml.field("expiry_horizon", durationText(keyspace.expiryHorizon))
      yaml.field("growth", durationText(keyspace.growth))
      for (name, text) in keyspace.censusTexts { yaml.field(name, text) }
    }
  }

  private mutating func expected(_ expected: MemberCounts, _ topology: Topology) {
    mapping("expected") { yaml in
      yaml.field("masters", expected.masters.map(String.init) ?? "any")
      yaml.field("replicas", expected.replicas.map(String.init) ?? "any")
      if topology == .sentinel { yaml.field("sentinels", expected.sentinels.map(String.init) ?? "any") }
    }
  }

  private mutating func objectives(_ objectives: Objectives, hasVerified: Bool = false) {
    mapping("objectives") { yaml in
      yaml.field("availability", objectives.availabilityRatio.map { "\($0)" } ?? "off")
      yaml.field("latency_p99", objectives.latencyP99.map(durationText) ?? "off")
      yaml.field("memory_used", objectives.memoryUsedRatio.map { "\($0)" } ?? "off")
      yaml.field("memory_pages", Self.bool(objectives.memoryPages))
      yaml.field("hit_ratio", objectives.hitRatio.map { "\($0)" } ?? "off")
      yaml.field("replication_lag", objectives.replicationLag.map(durationText) ?? "off")
      yaml.field("rpo", objectives.rpo.map(durationText) ?? "off")
      yaml.field("backup_age", objectives.backupAge.map(durationText) ?? "off")
      let verified = objectives.verified
      guard hasVerified, verified != VerifiedObjectives() else { return }
      yaml.mapping("verified") { yaml in
        yaml.field("backup", verified.backup.map(durationText) ?? "off")
        yaml.field("failover", verified.failover.map(durationText) ?? "off")
        yaml.field("load", verified.load.map(durationText) ?? "off")
      }
    }
  }

  private mutating func watches(_ watches: KeyWatches) {
    mapping("watches") { yaml in
      yaml.field("interval", durationText(watches.interval))
      yaml.field("follow", watches.follow.rawValue)
      for block in watches.blocks {
        if block.isList {
          yaml.mappings(block.key, block.entries) { $0.settings($1) }
        } else {
          for entry in block.entries { yaml.mapping(block.key) { $0.settings(entry) } }
        }
      }
    }
  }

  private mutating func settings(_ settings: [WatchFields.Setting]) {
    for setting in settings {
      if let entries = setting.entries {
        mappings(setting.key, entries) { $0.settings($1) }
      } else if let list = setting.list {
        self.list(setting.key, list)
      } else {
        field(setting.key, setting.text)
      }
    }
  }

  private mutating func backup(_ backup: BackupConfig) {
    guard backup != BackupConfig() else { return }
    mapping("backup") { yaml in
      yaml.field("file", backup.file)
      yaml.field("command", backup.command)
      yaml.field("server_binary", backup.serverBinary)
      yaml.field("max_load", durationText(backup.maxLoad))
    }
  }

  private mutating func audit(_ audit: AuditConfig) {
    guard audit != AuditConfig() else { return }
    mapping("audit") { yaml in
      yaml.field("interval", audit.interval.map(durationText) ?? "off")
      yaml.list("admins", audit.admins)
      yaml.mappings("accept", audit.accepted) { yaml, accepted in
        yaml.field("check", accepted.check.rawValue)
        yaml.field("instance", accepted.instance)
        yaml.field("reason", accepted.reason)
        yaml.field("until", accepted.until.description)
      }
      yaml.clients("clients", audit.clients)
      yaml.clients("forbidden_clients", audit.forbiddenClients)
      yaml.field("package", audit.package?.text)
      yaml.field("advisories", audit.advisoriesFile)
    }
  }

  private mutating func clients(_ key: String, _ clients: [DeclaredClient]) {
    mappings(key, clients) { yaml, client in
      yaml.field("name", client.name)
      yaml.field("user", client.user)
      yaml.field("addr", client.hostText)
    }
  }

  private mutating func drill(_ drill: DrillConfig?) {
    guard let drill else { return }
    mapping("drill") { yaml in
      yaml.login(drill.login)
      yaml.login(drill.sentinelLogin, under: "sentinel_credentials")
      yaml.field("exec", drill.command)
    }
  }

  private mutating func login(_ login: LoginConfig?, under key: String = "credentials") {
    guard let login else { return }
    mapping(key) { yaml in
      yaml.field("user", login.user)
      yaml.secret("password", login.password)
    }
  }

  mutating func secret(_ key: String, _ source: SecretSource) {
    switch source {
    case .literal(let secret): field(key, secret.description)
    case .file(let path): field("\(key)_file", path)
    case .environment(let name): field("\(key)_env", name)
    case .credential(let name): field("\(key)_credential", name)
    }
  }

  mutating func tls(_ tls: TLSConfig?) {
    guard let tls else { return }
    mapping("tls") { yaml in
      yaml.field("ca_file", tls.authoritiesFile)
      yaml.field("cert_file", tls.certificateFile)
      yaml.field("key_file", tls.keyFile)
      yaml.field("server_name", tls.serverName)
      if tls.isVerificationSkipped { yaml.field("insecure_skip_verify", "true") }
    }
  }

  fileprivate mutating func rewrites(_ rewrites: [AddressRewrite]) {
    mappings("address_rewrites", rewrites) { yaml, rewrite in
      yaml.field("from", rewrite.from)
      yaml.field("to", rewrite.to)
    }
  }

  fileprivate mutating func regions(_ regions: Regions) {
    guard !regions.isEmpty else { return }
    mapping("regions") { yaml in
      for region in regions.all { yaml.list(region.name, region.addresses) }
    }
  }

  fileprivate mutating func windows(_ key: String, _ schedule: Schedule) {
    list(key, schedule.windows.map(\.description))
  }

  private mutating func dictionary(_ key: String, _ values: [String: String]) {
    guard !values.isEmpty else { return }
    mapping(key) { yaml in
      for (name, value) in values.sorted(by: { $0.key < $1.key }) { yaml.field(name, value) }
    }
  }

  fileprivate static func bool(_ value: Bool) -> String { value ? "true" : "false" }
}
