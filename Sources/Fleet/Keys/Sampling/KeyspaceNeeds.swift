import Config
import Redis

extension KeyspaceConfig {
  /// What the sample of keys needs of a member.
  func accessNeeds(isCluster: Bool, _ server: ServerFacts) -> [AccessNeed] {
    guard isEnabled else { return [] }
    let every = [UInt8(ascii: "*")]
    var needs = [
      AccessNeed.scan(for: Self.feature, lost: "all of redis_prefix_*"),
      AccessNeed(Self.feature, keys: [every], lost: ["redis_prefix_memory_bytes and redis_prefix_growth_bytes"]) {
        [KeyCommand.memoryUsage($0)]
      },
      AccessNeed(
        Self.feature, keys: [every],
        lost: ["redis_prefix_keys_without_ttl, redis_prefix_expiry_* and redis_ttl_crowding_ratio"]
      ) { [KeyCommand.remainingLife($0)] },
      AccessNeed(Self.feature, [["TIME"]], lost: ["no metric; seconds of expiry are those of redline's own clock"]),
    ]
    if census != .off {
      let lost = ["what redline knows of large keys beside their size"]
      needs.append(
        AccessNeed(Self.censusFeature, keys: [every], lost: lost) { key in
          [KeyCommand.type(key)] + Self.types.compactMap { KeyCommand.size(key, ofType: $0) }
        })
    }
    needs += AccessNeed.ofKeyLink(to: server)
    if isCluster {
      needs.append(AccessNeed(Self.feature, [["READONLY"]], lost: ["the sample: replicas of a cluster are not asked"]))
      if server.hasTableBySlot {
        needs.append(AccessNeed(Self.feature, [["CLUSTER", "COUNTKEYSINSLOT", "0"]], lost: ["all of redis_prefix_*"]))
      }
    }
    if !isCluster || server.knowsClusterDatabases {
      needs.append(AccessNeed("databases", [["SELECT", "1"], ["SELECT", "0"]], lost: ["keys of further databases"]))
    }
    return needs
  }

  static let feature = "keyspace"
  static let censusFeature = "census"
  /// Types whose elements are counted.
  private static let types = ["string", "list", "set", "zset", "hash", "stream"]
}
