import Config
import Logging
import Metrics
import NIOCore
import Redis
import Runtime

extension KeyWork {
  /// Walks every database that a pattern or the key groups ask for, on every master of a cluster.
  ///
  /// What the walk finds is published when it is whole; until then the newest whole one stands.
  func walk() async throws(RedisError) {
    let started = NIODeadline.now()
    let server = try await readServer()
    var keySink = SampleSink(limit: options.seriesLimit)
    var totals = SampleSink(limit: options.seriesLimit)
    var progress = KeyProgress(total: server.keyTotal)
    cost.noteProgress(0)
    for database in try await databases(server) {
      var tally = KeyTally(database: database, options, patterns: patterns, showsKeys: server.showsKeys)
      guard tally.hasWork else { continue }
      if server.hasKeys(database) {
        for node in routes.nodes {
          try await walk(node, server, &tally, &progress, into: &keySink)
        }
      }
      if tally.abandonedMatches > 0 {
        complain("pattern", "a key group pattern needs too many steps for some keys", "they count for the next pattern")
      }
      tally.add(groupLimit: options.maxDistinctKeyGroups, into: &totals)
    }
    walkSamples = Samples(merging: [finish(keySink), finish(totals)])
    if !patterns.isEmpty { cost.noteGroups(seconds: Double((NIODeadline.now() - started).nanoseconds) / 1e9) }
  }

  /// One walk over a database of one node.
  private func walk(
    _ node: Endpoint?, _ server: KeyServer, _ tally: inout KeyTally, _ progress: inout KeyProgress,
    into sink: inout SampleSink
  ) async throws(RedisError) {
    var cursor: [UInt8] = [UInt8(ascii: "0")]
    repeat {
      let scan = KeyCommand.scan(cursor, match: tally.match, count: options.scanCount)
      guard let reply = try await link.send([scan], to: node, database: tally.database)[0] else { return }
      guard let page = ScanPage(reply) else {
        throw reply.isError
          ? RedisError(reply: reply, to: ["SCAN"]) : RedisError(.protocol, "SCAN was answered with something else")
      }
      cursor = page.cursor
      cost.scannedCount.add(Double(page.names.count))
      try await handle(tally.take(page.names), node, server, &tally, into: &sink)
      answeredAt = .now()
      try await lookUpIfDue()
      if progress.note(scanned: page.names.count, at: .now()) {
        cost.noteProgress(progress.ratio)
        publish()
      }
    } while cursor != [UInt8(ascii: "0")]
  }

  private func handle(
    _ page: KeyTally.Page, _ node: Endpoint?, _ server: KeyServer, _ tally: inout KeyTally, into sink: inout SampleSink
  ) async throws(RedisError) {
    for batch in chunks(page.measured, KeyWorkLimits.batchKeys) {
      let replies = try await link.send(
        batch.map { KeyCommand.memoryUsage($0) }, to: node, database: tally.database)
      for (name, reply) in zip(batch, replies) {
        tally.add(name, memoryBytes: reply.flatMap { $0.isError ? nil : $0.double })
      }
    }
    // Once the sink is full there is no use in asking for more; counts and groups go on.
    let keys = KeyReader(link: link, readsValues: !options.disablesKeyValues)
    for batch in chunks(page.keys, KeyWorkLimits.batchKeys) where sink.overflowCount == 0 {
      for report in try await keys.reports(of: batch, database: tally.database, node: node) {
        report.add(database: tally.database, showsMissing: false, into: &sink)
      }
    }
    let streams = StreamReader(
      link: link, excludesConsumers: options.streamsExcludeConsumers, readsNacked: server.knowsNacked)
    for batch in chunks(page.streams, KeyWorkLimits.batchStreams) where sink.overflowCount == 0 {
      let reading = try await read(batch, with: streams, database: tally.database, node: node)
      for report in reading.reports {
        report.add(database: tally.database, nowMilliseconds: reading.nowMilliseconds, into: &sink)
      }
    }
  }

  /// The databases to walk: those that patterns name, or all where there are key groups.
  private func databases(_ server: KeyServer) async throws(RedisError) -> [Int] {
    if options.isCluster { return [0] }
    var databases = Set((options.scanKeys + options.scanStreams + options.countKeys).map(\.database))
    if !patterns.isEmpty {
      databases.formUnion(0..<(try await databaseCount()))
      databases.formUnion(server.databases)
    }
    return databases.sorted().prefix(KeyWorkLimits.databases).map { $0 }
  }

  private func databaseCount() async throws(RedisError) -> Int {
    guard let name = options.configCommand else { return options.fallbackDatabaseCount }
    let reply = try await link.send([Command([name, "GET", "databases"])])[0]
    let count = reply?.elements?[1]?.integer ?? options.fallbackDatabaseCount
    return min(max(1, count), KeyWorkLimits.databases)
  }
}

/// One answer to SCAN.
struct ScanPage: Sendable, Equatable {
  /// Where to go on; `0` at the end.
  let cursor: [UInt8]
  let names: [[UInt8]]

  /// - Returns: nil when the reply is not a cursor and a list of names.
  init?(_ reply: Reply) {
    guard let elements = reply.elements, elements.count == 2, let cursor = elements[0]?.bytes, cursor.count <= 20,
      !cursor.isEmpty, cursor.allSatisfy({ $0 &- UInt8(ascii: "0") <= 9 }), let names = elements[1]?.elements
    else { return nil }
    self.cursor = Array(cursor)
    self.names = names.compactMap { $0.bytes.map { Array($0) } }
  }
}

/// How far a walk has come.
struct KeyProgress: Sendable {
  /// Keys when the walk began, or nil where the server does not tell.
  let total: Double?
  private var scanned = 0.0
  private var toldAt = NIODeadline.now()

  init(total: Double?) { self.total = total }

  var ratio: Double {
    guard let total, total > 0 else { return 0 }
    return min(1, scanned / total)
  }

  /// - Returns: whether it is time to show the progress.
  mutating func note(scanned count: Int, at now: NIODeadline) -> Bool {
    scanned += Double(count)
    guard Double((now - toldAt).nanoseconds) / 1e9 >= KeyWorkLimits.progressSeconds else { return false }
    toldAt = now
    return true
  }
}
