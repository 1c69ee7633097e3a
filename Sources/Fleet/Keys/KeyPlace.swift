import Config
import Logging
import Metrics
import NIOCore
import Redis

/// Where work on keys reaches one server: a connection of its own with its share of time, and what it has cost.
final class KeyPlace: Sendable {
  /// For the log; empty where there is only one.
  let name: String
  let link: KeyLink
  let cost: KeyWorkCost
  /// Shows samples among the series of the server, in place of those before from the same source.
  let publish: @Sendable (_ samples: Samples, _ source: String) -> Void

  init(
    name: String = "", _ connection: ConnectionOptions, context: ConnectionContext, dutyRatio: Double,
    timeout: TimeAmount, node: NodeCost, publish: @escaping @Sendable (Samples, String) -> Void = { _, _ in }
  ) {
    self.name = name
    self.publish = publish
    let duty = DutyCycle(ratio: dutyRatio)
    cost = KeyWorkCost(dutyRatio: duty.ratio, node: node)
    link = KeyLink(connection, context: context, duty: duty, timeout: timeout, cost: cost)
  }

  /// A member of a workload.
  ///
  /// - Parameter dutyRatio: the share of a replica's time; of a master's it is half.
  convenience init(_ member: WatchedNode, isCluster: Bool, dutyRatio: Double, context: ConnectionContext) {
    let options = member.node.poller.options
    var connection = options.connection
    connection.readsReplica = isCluster
    self.init(
      name: member.address.description, connection, context: context, dutyRatio: dutyRatio, timeout: options.timeout,
      node: member.node.cost
    ) { [node = member.node] in node.publishKeyWork($0, under: $1) }
  }

  /// What the work has cost.
  var samples: Samples {
    var sink = SampleSink()
    cost.collect(into: &sink)
    return sink.finish()
  }
}

// MARK: What the server is asked

extension KeyPlace {
  func readServer(_ options: KeyScanOptions) async throws(RedisError) -> KeyServer {
    let sections = options.isOfWorkload ? ["server"] : ["server", "replication", "keyspace"]
    let replies = try await link.send(sections.map { ["INFO", $0] })
    let texts = replies.compactMap { $0.flatMap { $0.isError ? nil : $0.bytes } }
    let info = texts.isEmpty ? nil : InfoText(bytes: Array(texts.joined(separator: "\r\n".utf8)))
    let server = KeyServer(
      info, skipsMasters: options.skipsMasters, isCluster: options.isCluster || options.isClusterNode,
      readsKeyspace: !options.isOfWorkload)
    await link.avoidTouching(server.facts.knowsNoTouch)
    return server
  }

  static let clusterNodes: Command = ["CLUSTER", "NODES"]

  /// Learns from the target which nodes the cluster has. Only nodes that the cluster itself names are connected to.
  func readRoutes() async throws(RedisError) -> KeyRoutes {
    guard let reply = try await link.send([Self.clusterNodes])[0] else {
      throw RedisError(.permission, "the server refuses CLUSTER NODES")
    }
    guard !reply.isError, let text = reply.bytes else {
      if reply.text?.contains("cluster support disabled") == true {
        throw RedisError(.protocol, "the server is no node of a cluster; leave out --is-cluster")
      }
      throw RedisError(reply: reply, to: Self.clusterNodes)
    }
    let routes = KeyRoutes(ClusterNodes(text), target: link.target)
    await link.know(names: routes.names)
    return routes
  }

  /// The setting that says how many databases there are.
  static func databasesSetting(isCluster: Bool) -> String { isCluster ? "cluster-databases" : "databases" }

  /// Every database that the server has.
  func databases(_ options: KeyScanOptions, _ server: KeyServer) async throws(RedisError) -> [Int] {
    if server.hasOneDatabase { return [0] }
    var count = server.isCluster ? 1 : options.fallbackDatabaseCount
    if let name = options.configCommand {
      let setting = Self.databasesSetting(isCluster: server.isCluster)
      count = try await link.send([Command([name, "GET", setting])])[0]?.elements?[1]?.integer ?? count
    }
    let all = Set(0..<min(max(1, count), KeyWorkLimits.databases)).union(server.keyCounts.map { Array($0.keys) } ?? [])
    return all.sorted().prefix(KeyWorkLimits.databases).map { $0 }
  }

  /// One SCAN. A reply that is too large is asked for again in smaller steps; a name that is too large even alone is stepped
  /// over, with those that SCAN returns beside it.
  ///
  /// - Returns: nil where the server refuses SCAN, or has no such database.
  func step(
    _ cursor: [UInt8], _ part: KeyPlan.Walk, at node: Endpoint?, _ walk: inout KeyWalk, _ complaints: ComplaintLog
  ) async throws(RedisError) -> ScanPage? {
    let type = walk.server.knowsScanTypes ? part.type : nil
    while true {
      let scan = KeyCommand.scan(cursor, match: part.match, count: walk.pace.count, type: type)
      do throws(RedisError) {
        let (replies, seconds) = try await link.timed([scan], to: node, database: part.database)
        let page = try replies[0].map(Self.page)
        if page != nil { walk.pace.note(seconds: seconds) }
        return page
      } catch {
        guard error.errorClass == .limit else { throw error }
        cost.errorCount.add(1, error.errorClass.rawValue)
        if walk.pace.noteTooLarge() { continue }
        complaints.tell("names", "names of keys that are too large to be read are left out", error, at: self)
        // The empty pattern matches next to nothing: what comes is where to go on.
        let skip = KeyCommand.scan(cursor, match: [], count: 1, type: type)
        guard let reply = try await link.send([skip], to: node, database: part.database)[0] else { return nil }
        walk.omit(part)
        return ScanPage(cursor: try Self.page(reply).cursor, names: [])
      }
    }
  }

  private static func page(_ reply: Reply) throws(RedisError) -> ScanPage {
    if let page = ScanPage(reply) { return page }
    throw reply.isError
      ? RedisError(reply: reply, to: ["SCAN"]) : RedisError(.protocol, "SCAN was answered with something else")
  }

  /// Those of this type, for servers whose SCAN knows none.
  func filter(
    _ wanted: [KeyWalk.Wanted], type: String, at node: Endpoint?, _ database: Int
  ) async throws(RedisError) -> [KeyWalk.Wanted] {
    var found: [KeyWalk.Wanted] = []
    for batch in chunks(wanted, KeyWorkLimits.batchKeys) {
      let replies = try await link.send(
        batch.map { KeyCommand.type($0.key.bytes) }, to: node, database: database)
      found += zip(batch, replies).filter { $1?.text == type }.map(\.0)
    }
    return found
  }

  // MARK: Questions

  /// Asks about keys of one database of one node, a batch at a time.
  ///
  /// - Returns: the questions about keys that belong to another node of the cluster.
  func ask(
    _ questions: [KeyQuestion], at node: Endpoint?, _ runs: inout [any WatchRun], _ complaints: ComplaintLog
  ) async throws(RedisError) -> [KeyQuestion] {
    var elsewhere: [KeyQuestion] = []
    for batch in KeyQuestion.batches(questions, runs) {
      do throws(RedisError) {
        try await ask(batch, at: node, &runs, &elsewhere)
      } catch {
        guard error.errorClass == .limit else { throw error }
        // One key whose answers are too large is left out alone.
        for question in batch {
          do throws(RedisError) {
            try await ask([question], at: node, &runs, &elsewhere)
          } catch {
            guard error.errorClass == .limit else { throw error }
            runs[question.run].omit(1)
            cost.errorCount.add(1, error.errorClass.rawValue)
            complaints.tell(
              "answers", "what is asked about a key is answered with more than is taken in", error, at: self)
          }
        }
      }
    }
    return elsewhere
  }

  private func ask(
    _ batch: [KeyQuestion], at node: Endpoint?, _ runs: inout [any WatchRun], _ elsewhere: inout [KeyQuestion]
  ) async throws(RedisError) {
    var dialogue = KeyDialogue(batch)
    while let commands = dialogue.next(runs) {
      var replies: [Reply?] = []
      for part in chunks(commands, KeyWorkLimits.batchCommands) {
        replies += try await link.send(part, to: node, database: batch[0].key.database)
      }
      dialogue.take(replies)
    }
    dialogue.finish(&runs, &elsewhere)
  }

  // MARK: Scripts

  func run(
    _ scripts: [(fileName: String, source: String)], readsOnly: Bool, _ complaints: ComplaintLog
  ) async -> [(fileName: String, report: ScriptReport)] {
    var reports: [(fileName: String, report: ScriptReport)] = []
    for (name, source) in scripts {
      let command = Command([readsOnly ? "EVAL_RO" : "EVAL", source, "0", "0"])
      reports.append((name, await run(command, named: name, complaints)))
    }
    return reports
  }

  /// A script that fails, or does not end in time, takes nothing else with it.
  private func run(_ command: Command, named fileName: String, _ complaints: ComplaintLog) async -> ScriptReport {
    let kind = "script " + fileName
    let reply: Reply?
    do throws(RedisError) {
      reply = try await link.send([command])[0]
    } catch {
      cost.errorCount.add(1, error.errorClass.rawValue)
      complaints.tell(kind, "a script failed", reason: "\(fileName): \(error)", at: self)
      return ScriptReport(nil)
    }
    let report = ScriptReport(reply)
    if report.outcome == .failed {
      complaints.tell(
        kind, "a script failed", reason: "\(fileName): \(ScriptReport.failure(of: reply))", at: self)
    } else {
      complaints.end(kind, at: self)
    }
    return report
  }
}
