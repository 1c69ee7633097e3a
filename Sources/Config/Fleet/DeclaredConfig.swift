import Runtime

/// The files that say how a workload's servers should be set: `declared` of a workload.
public struct DeclaredConfig: Sendable, Equatable {
  /// Absolute, or as the configuration's own path is.
  public let redisConf: String?
  /// Nil without topology `sentinel`.
  public let sentinelConf: String?
  /// Directives that each server has a value of its own for, in lower case.
  public let ignored: [String]

  static let ignoredLimit = 100

  init(_ fields: MappingReader, folder: String, topology: Topology) {
    func path(_ key: String, _ meaning: String) -> String? {
      fields.optional(key, .nonEmptyString, meaning).map { RulesConfig.absolute($0, in: folder) }
    }
    redisConf = path(
      "redis_conf",
      "The `redis.conf` under version control, relative to this file; what servers run with is compared with it.")
    sentinelConf = path("sentinel_conf", "The same of the Sentinels, for the master that `sentinel.master_name` names.")
    ignored = fields.list(
      "ignore", of: .directive, "Directives that are not compared, since each server has its own, such as `bind`.",
      shown: "none")
    if redisConf == nil, sentinelConf == nil, !fields.contains("redis_conf"), !fields.contains("sentinel_conf") {
      fields.report("redis_conf", problem: "is missing", hint: "name the file that the servers should run with")
    }
    if sentinelConf != nil, topology != .sentinel {
      fields.report("sentinel_conf", problem: "needs topology: sentinel", hint: "leave it out")
    }
    if ignored.count > Self.ignoredLimit {
      fields.report("ignore", problem: "has more than \(Self.ignoredLimit) entries")
    }
  }
}

extension ScalarType<String> {
  /// The name of a directive of redis.conf, in lower case.
  fileprivate static var directive: ScalarType {
    ScalarType(placeholder: "", name: "directive") { text throws(Mismatch) in
      guard !text.isEmpty, text.utf8.count <= 64,
        text.utf8.allSatisfy({ $0.isASCIIAlphanumeric || "-_".utf8.contains($0) })
      else { throw Mismatch("is no directive of redis.conf", hint: "write its name alone, such as bind") }
      return text.lowercased()
    }
  }
}
