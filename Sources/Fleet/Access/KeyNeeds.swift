import Config
import Redis

extension KeyReader {
  /// Every command that may be sent to find out about a key.
  static func commands(for key: [UInt8], knowsArrays: Bool) -> [Command] {
    let types = ["string", "list", "set", "zset", "hash", "stream"] + (knowsArrays ? ["array"] : [])
    return [KeyCommand.type(key), KeyCommand.memoryUsage(key)]
      + types.compactMap { KeyCommand.size(key, ofType: $0) }
      + [KeyCommand.prefix(key, count: 1), KeyCommand.hyperLogLogCount(key)]
  }
}

extension StreamReader {
  /// Every command that may be sent to find out about a stream.
  static func commands(for key: [UInt8], excludesConsumers: Bool, readsNacked: Bool) -> [Command] {
    let group = Array("redline-check".utf8)
    return [KeyCommand.type(key), KeyCommand.xinfoStream(key), KeyCommand.xinfoGroups(key), ["TIME"]]
      + (readsNacked ? [KeyCommand.xinfoStreamFull(key)] : [])
      + (excludesConsumers ? [] : [KeyCommand.xinfoConsumers(key, group)]) + [KeyCommand.xpending(key, group)]
  }
}

extension KeyWorkOptions {
  private static let scan = KeyCommand.scan([UInt8(ascii: "0")], match: nil, count: 1)

  /// What the work on keys needs of the server.
  ///
  /// - Parameter database: the one that connections begin in.
  func accessNeeds(database: Int, knowsNacked: Bool) -> [AccessNeed] {
    var needs: [AccessNeed] = []
    let keys = checkKeys + checkSingleKeys
    let streams = checkStreams + checkSingleStreams
    if hasWalk {
      needs.append(AccessNeed("scan", [Self.scan], lost: ["redis_keys_count, and keys that patterns find"]))
    }
    if !keys.isEmpty {
      needs.append(
        AccessNeed(
          "keys", keys: keys.map(\.bytes), lost: ["redis_key_size, redis_key_memory_usage_bytes, redis_key_value"]
        ) {
          KeyReader.commands(for: $0, knowsArrays: knowsNacked)
        })
    }
    if !streams.isEmpty {
      needs.append(
        AccessNeed("streams", keys: streams.map(\.bytes), lost: ["redis_stream_*"]) {
          StreamReader.commands(for: $0, excludesConsumers: streamsExcludeConsumers, readsNacked: knowsNacked)
        })
    }
    if !checkKeyGroups.isEmpty {
      needs.append(
        AccessNeed("key groups", keys: [[UInt8(ascii: "*")]], lost: ["redis_key_group_*"]) {
          [KeyCommand.memoryUsage($0)]
        })
      if let configCommand, !isCluster {
        needs.append(
          AccessNeed(
            "key groups", [Command([configCommand, "GET", "databases"])], lost: ["key groups of empty databases"]))
      }
    }
    if !scripts.isEmpty {
      needs.append(
        AccessNeed(
          "scripts", [[scriptsReadOnly ? "EVAL_RO" : "EVAL", "return 0", "0"]],
          lost: ["redis_script_*; a script also needs the commands and keys that it uses"]))
    }
    let databases = Set((keys + streams + countKeys).map(\.database))
    if !isCluster, !checkKeyGroups.isEmpty || databases.contains(where: { $0 != database }) {
      needs.append(AccessNeed("databases", [["SELECT", "\(database)"]], lost: ["keys of further databases"]))
    }
    return needs
  }
}

extension KeyWatches {
  /// What the key watches need of a member.
  func accessNeeds(isCluster: Bool, _ server: ServerFacts) -> [AccessNeed] {
    guard !areAllOff else { return [] }
    let plan = WatchPlan(self, isCluster: isCluster)
    var needs: [AccessNeed] = []
    if isCluster {
      needs.append(
        AccessNeed("key watches", [["READONLY"]], lost: ["key watches: replicas of a cluster are not asked"]))
    }
    if !plan.walks.isEmpty {
      needs.append(
        AccessNeed(
          "key watches", [KeyCommand.scan([UInt8(ascii: "0")], match: nil, count: 1)],
          lost: ["redis_locks_without_ttl, redis_circuit_open, and streams that patterns find"]))
    }
    if locks.isOn {
      needs.append(
        AccessNeed("locks", keys: locks.patterns.map(\.bytes), lost: ["redis_locks_without_ttl"]) {
          [KeyCommand.remainingLife($0)]
        })
    }
    if circuits.isOn {
      needs.append(
        AccessNeed("circuits", keys: circuits.patterns.map(\.bytes), lost: ["redis_circuit_open"]) {
          [KeyCommand.prefix($0, count: 1)]
        })
    }
    if streams.isOn {
      needs.append(
        AccessNeed("streams", keys: streams.patterns.map(\.bytes), lost: ["redis_stream_*"]) {
          StreamReader.commands(for: $0, excludesConsumers: !streams.areConsumersIncluded, readsNacked: false)
        })
    }
    let databases =
      (locks.isOn ? locks.patterns : []) + (circuits.isOn ? circuits.patterns : [])
      + (streams.isOn ? streams.patterns : [])
    if !isCluster, databases.contains(where: { $0.database != 0 }) {
      needs.append(AccessNeed("databases", [["SELECT", "0"]], lost: ["key watches of further databases"]))
    }
    return needs
  }
}
