import Config
import Redis

extension KeyWatch {
  /// What is asked about the keys that it is about; nil where SCAN tells enough.
  fileprivate func accessNeed(on server: ServerFacts) -> AccessNeed? {
    let patterns = meetsEveryKey ? [[UInt8(ascii: "*")]] : (globs + names).map(\.bytes)
    let isTypeAsked = type != nil && !KeyServer(facts: server).knowsScanTypes
    let need = AccessNeed(name, keys: patterns, lost: lost) { key in
      everyCommand(for: key, on: server) + (isTypeAsked ? [KeyCommand.type(key)] : [])
    }
    return need.commands.isEmpty ? nil : need
  }
}

extension AccessNeed {
  /// Reads keys by SCAN.
  static func scan(for feature: String, lost: String) -> AccessNeed {
    AccessNeed(feature, [KeyCommand.scan([UInt8(ascii: "0")], match: nil, count: 1)], lost: [lost])
  }

  /// What a ``KeyLink`` sends by itself.
  static func ofKeyLink(to server: ServerFacts) -> [AccessNeed] {
    let pace = AccessNeed(
      "pace", [["PING"]], lost: ["speed over slow networks: the way there and back counts as work"])
    guard server.knowsNoTouch else { return [pace] }
    return [
      pace, AccessNeed("no touch", [KeyLink.noTouch], lost: ["no metric; keys that are looked at count as used"]),
    ]
  }
}

extension [any KeyWatch] {
  /// What a scan needs of a server for these watches.
  ///
  /// - Parameters:
  ///   - feature: what it is part of.
  ///   - database: the one that connections begin in.
  fileprivate func accessNeeds(
    _ feature: String, lost: String, database: Int, isCluster: Bool, _ server: ServerFacts
  ) -> [AccessNeed] {
    var needs: [AccessNeed] = []
    if contains(where: { !$0.globs.isEmpty || $0.meetsEveryKey }) {
      needs.append(.scan(for: feature, lost: lost))
    }
    needs += compactMap { $0.accessNeed(on: server) }
    if !isEmpty { needs += AccessNeed.ofKeyLink(to: server) }
    let named = Set(flatMap { ($0.globs + $0.names).map(\.database) }).subtracting([database])
    let meetsEveryKey = contains(where: \.meetsEveryKey)
    if !(isCluster && !server.knowsClusterDatabases), meetsEveryKey || !named.isEmpty {
      // Where every database is walked, any further one shows whether that is allowed.
      let selected = named.union(meetsEveryKey ? [database == 1 ? 0 : 1] : []).sorted() + [database]
      needs.append(
        AccessNeed(
          "databases", selected.map { ["SELECT", "\($0)"] }, databases: named, lost: ["keys of further databases"]))
    }
    return needs
  }
}

extension KeyWorkOptions {
  /// What the work on keys needs of the server.
  ///
  /// - Parameter database: the one that connections begin in.
  func accessNeeds(database: Int, _ server: ServerFacts) -> [AccessNeed] {
    // A pattern that cannot be used is an error at the start.
    let watches = (try? KeyWatchCatalogue.ofFlags(self)) ?? []
    var needs = watches.accessNeeds(
      "scan", lost: "redis_keys_count, and keys that patterns find", database: database, isCluster: isCluster, server)
    if !checkKeyGroups.isEmpty, let configCommand, !isCluster || server.knowsClusterDatabases {
      let setting = KeyPlace.databasesSetting(isCluster: isCluster)
      needs.append(
        AccessNeed(
          "key groups", [Command([configCommand, "GET", setting])], lost: ["key groups of empty databases"]))
    }
    if searchIndexes != nil {
      needs.append(
        AccessNeed(
          "search indexes", [KeyPlace.searchList, KeyPlace.searchInfo(AccessNeed.sampleKey(of: [UInt8(ascii: "*")]))],
          lost: ["redis_search_index_*"]))
    }
    if !scripts.isEmpty {
      needs.append(
        AccessNeed(
          "scripts", [[scriptsReadOnly ? "EVAL_RO" : "EVAL", "return 0", "0"]],
          lost: ["redis_script_*; a script also needs the commands and keys that it uses"]))
    }
    return needs
  }
}

extension KeyWatches {
  /// What the watches over keys need of a member.
  func accessNeeds(isCluster: Bool, _ server: ServerFacts) -> [AccessNeed] {
    let watches = keyWatches
    guard !watches.isEmpty else { return [] }
    let replicas = AccessNeed("key watches", [["READONLY"]], lost: ["key watches: replicas of a cluster are not asked"])
    return (isCluster ? [replicas] : [])
      + watches.accessNeeds(
        "key watches", lost: "what watches over keys find by their patterns", database: 0, isCluster: isCluster, server)
  }
}
