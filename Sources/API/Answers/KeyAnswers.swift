import Config
import Fleet
import Runtime

/// What samples and passes over every key say of the keys of workloads: what the pages below `/keys` show.
struct KeyAnswers: Sendable {
  let view: FleetView

  /// `keys?workload=NAME`
  func keys(_ parameters: APIParameters, _ answer: inout APIAnswer) async throws {
    let name = parameters.text("workload").isEmpty ? nil : parameters.text("workload")
    let found = await view.workloads(named: name)
    if let name, found.isEmpty { throw FleetAnswers.unknownWorkload(name, parameters) }
    let limit = answer.limit
    try answer.data.object { json throws(APIError) in
      json.key("workloads")
      try json.list(found, within: limit) { json, standing in
        guard let keyspace = standing.overview.keyspace else { return }
        Self.write(standing.overview.name, keyspace, isLoggedIn: parameters.isLoggedIn, to: &json)
      }
    }
  }

  static func write(
    _ name: String, _ keyspace: KeyspaceOverview, isLoggedIn: Bool, to json: inout JSONWriter
  ) {
    json.object { json in
      json.field("name", name)
      if let pause = keyspace.pause { json.field("paused", pause.rawValue) }
      if let report = keyspace.report {
        json.key("sample")
        write(report, keyspace, to: &json)
      }
      if let census = keyspace.census {
        json.key("census")
        write(census, keyspace.names, isLoggedIn: isLoggedIn, to: &json)
      }
    }
  }

  private static func write(_ report: KeyspaceReport, _ keyspace: KeyspaceOverview, to json: inout JSONWriter) {
    let estimate = report.estimate
    json.object { json in
      json.field("began", at: report.beganAt)
      json.field("tookSeconds", report.tookSeconds)
      json.field("keys", estimate.keyTotal)
      json.field("lookedAt", estimate.seenCount)
      json.field("isEveryKey", estimate.areAllKeys)
      if let ratio = report.attributedRatio { json.field("attributedRatio", ratio) }
      if let isComplete = report.isComplete { json.field("isComplete", isComplete) }
      if let ratio = estimate.crowdingRatio { json.field("ttlCrowdingRatio", ratio) }
      if case .with(let time)? = keyspace.comparison { json.field("growthSince", at: time) }
      json.key("missingRights")
      json.strings(report.refused)
      json.key("servers")
      json.array { json in
        for server in report.servers {
          json.object { json in
            json.field("name", shown: server.name)
            json.field("isReplica", server.isReplica)
            if let product = server.product { json.field("product", shown: product) }
            json.field("keys", server.keyTotal)
          }
        }
      }
      json.key("prefixes")
      json.array { json in
        for prefix in estimate.prefixes { write(prefix, keyspace.growth[prefix.name], to: &json) }
      }
    }
  }

  private static func write(
    _ prefix: KeyspaceEstimate.Prefix, _ growth: SampledAmount?, to json: inout JSONWriter
  ) {
    json.object { json in
      json.field("prefix", shown: prefix.name)
      json.field("lookedAt", prefix.seenCount)
      write("keys", prefix.keys, to: &json)
      write("keysWithoutTTL", prefix.keysWithoutTTL, to: &json)
      write("memoryBytes", prefix.memoryBytes, to: &json)
      write("growthBytes", growth, to: &json)
      switch prefix.wave {
      case .unknown: json.field("expiryWave", "unknown")
      case .none: json.field("expiryWave", "none")
      case .coming(let wave):
        json.field("expiryWave", "coming")
        json.field("expiryWaveAt", at: WallTime(epochMs: wave.timestampSeconds * 1000))
        json.field("expiryWaveSeconds", Int(clamping: wave.spanSeconds))
        write("expiryWaveKeys", wave.keys, to: &json)
      }
    }
  }

  /// What is not known is left out.
  private static func write(_ name: String, _ amount: SampledAmount?, to json: inout JSONWriter) {
    guard let amount else { return }
    json.key(name)
    json.object { json in
      json.field("value", amount.value)
      if let lower = amount.lower { json.field("lower", lower) }
      if let upper = amount.upper { json.field("upper", upper) }
    }
  }

  private static func write(
    _ census: CensusOverview, _ names: KeyspaceConfig.Names, isLoggedIn: Bool, to json: inout JSONWriter
  ) {
    json.object { json in
      json.field("shards", census.shardCount)
      json.field("shardsRead", census.aimedCount)
      json.field("shardsComplete", census.wholeCount)
      json.field("bigKeyFromBytes", census.bigKeyBytes)
      if let count = census.bigCount { json.field("bigKeys", count) }
      if let bytes = census.bigKeysBytes { json.field("bigKeysMemoryBytes", bytes) }
      if let ratio = census.progressRatio { json.field("progressRatio", ratio) }
      if let ended = census.ended { json.field("ended", at: ended) }
      if let seconds = census.tookSeconds { json.field("tookSeconds", seconds) }
      if let ratio = census.foreverRatio { json.field("neverExpiringMemoryRatio", ratio) }
      json.field("slotsMoved", census.isMixed)
      json.field("omittedSteps", census.omittedCount)
      if let pause = census.pause { json.field("paused", pause.rawValue) }
      json.field("names", names.rawValue)
      json.key("largest")
      json.array { json in
        for key in census.keys { write(key, key.shownName(names, isLoggedIn: isLoggedIn), to: &json) }
      }
    }
  }

  /// - Parameter name: as the reader may see it; nil for nobody.
  private static func write(_ key: CensusOverview.Key, _ name: String?, to json: inout JSONWriter) {
    json.object { json in
      if let name { json.field("name", name) }
      if !key.type.isEmpty { json.field("type", shown: key.type) }
      json.field("memoryBytes", key.bytes)
      json.field("isExact", key.isExact)
      if let count = key.elementCount { json.field("elements", count) }
      if let expires = key.expires { json.field("expires", at: expires) }
      if key.expires != nil || key.neverExpires { json.field("neverExpires", key.neverExpires) }
      json.field("server", shown: key.server)
      json.field("database", key.database)
      if let ratio = key.maxMemoryRatio { json.field("maxMemoryRatio", ratio) }
      json.field("measured", at: key.measuredAt)
    }
  }
}
