import Config
import Logging
import Metrics
import NIOCore
import Redis
import Runtime

extension KeyWork {
  /// Looks at single keys and streams and runs the scripts.
  func lookUp() async throws(RedisError) {
    guard options.hasLookups else { return }
    var sink = SampleSink(limit: options.seriesLimit)
    let server = try await readServer()
    if server.showsKeys {
      for (database, names) in byDatabase(options.lookupKeys) {
        try await inspect(names, database: database, into: &sink)
      }
      for (database, names) in byDatabase(options.lookupStreams) {
        try await inspectStreams(names, database: database, server, into: &sink)
      }
    }
    for script in options.scripts {
      await run(script.source, named: script.fileName).add(fileName: script.fileName, into: &sink)
    }
    lookupSamples = finish(sink)
    lookupsEnded = .now()
    answeredAt = .now()
    cost.noteLookups(endedAt: wallClockSeconds())
    publish()
  }

  /// Repeats the look-ups while a long walk is under way.
  func lookUpIfDue() async throws(RedisError) {
    guard let ended = lookupsEnded, options.hasLookups else { return }
    let age = Double((NIODeadline.now() - ended).nanoseconds) / 1e9
    if age >= options.intervalSeconds { try await lookUp() }
  }

  /// A script that fails, or does not end in time, takes nothing else with it.
  private func run(_ source: String, named fileName: String) async -> ScriptReport {
    let command = Command([options.scriptsReadOnly ? "EVAL_RO" : "EVAL", source, "0", "0"])
    let reply: Reply?
    do throws(RedisError) {
      reply = try await link.send([command])[0]
    } catch {
      cost.errorCount.add(1, error.errorClass.rawValue)
      complain("script " + fileName, "a script failed", "\(fileName): \(error)")
      return ScriptReport(nil)
    }
    let report = ScriptReport(reply)
    if report.outcome == .failed {
      complain("script " + fileName, "a script failed", "\(fileName): \(failure(of: reply))")
    } else {
      complaints.remove("script " + fileName)
    }
    return report
  }

  private func failure(of reply: Reply?) -> String {
    guard let reply else { return "the server refuses it" }
    if reply.isError { return printable(reply.bytes ?? []) }
    return "its result is no list of names and numbers in turn"
  }

  /// Names by database; a cluster has only database 0.
  private func byDatabase(_ selectors: [KeyPattern]) -> [(database: Int, names: [[UInt8]])] {
    var names: [Int: [[UInt8]]] = [:]
    for selector in selectors { names[options.isCluster ? 0 : selector.database, default: []].append(selector.bytes) }
    return names.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  private func inspect(_ names: [[UInt8]], database: Int, into sink: inout SampleSink) async throws(RedisError) {
    let reader = KeyReader(link: link, readsValues: !options.disablesKeyValues)
    var pending = names
    for isRetry in [false, true] where !pending.isEmpty {
      if isRetry { try await readRoutes() }
      var elsewhere: [[UInt8]] = []
      for (node, names) in routes.split(pending) {
        for batch in chunks(names, KeyWorkLimits.batchKeys) {
          for report in try await reader.reports(of: batch, database: database, node: node) {
            if report.isElsewhere { elsewhere.append(report.name) }
            report.add(database: database, showsMissing: !options.isCluster, into: &sink)
          }
        }
      }
      pending = options.isCluster ? elsewhere : []
    }
  }

  private func inspectStreams(
    _ names: [[UInt8]], database: Int, _ server: KeyServer, into sink: inout SampleSink
  ) async throws(RedisError) {
    let reader = StreamReader(
      link: link, excludesConsumers: options.streamsExcludeConsumers, readsNacked: server.knowsNacked)
    var pending = names
    for isRetry in [false, true] where !pending.isEmpty {
      if isRetry { try await readRoutes() }
      var elsewhere: [[UInt8]] = []
      for (node, names) in routes.split(pending) {
        for batch in chunks(names, KeyWorkLimits.batchStreams) {
          let reading = try await read(batch, with: reader, database: database, node: node)
          elsewhere += reading.elsewhere
          for report in reading.reports {
            report.add(database: database, nowMilliseconds: reading.nowMilliseconds, into: &sink)
          }
        }
      }
      pending = options.isCluster ? elsewhere : []
    }
  }

  /// Reads a batch of streams and says which had to be left out.
  func read(
    _ names: [[UInt8]], with reader: StreamReader, database: Int, node: Endpoint?
  ) async throws(RedisError) -> StreamReader.Reading {
    var left: [RedisError] = []
    let reading = try await reader.readApart(names, database: database, node: node, leaving: &left)
    for error in left {
      cost.errorCount.add(1, error.errorClass.rawValue)
      complain("stream", "a stream has entries that are too large to be read", "\(error)")
    }
    return reading
  }
}

/// The elements in runs of at most `count`.
func chunks<Element>(_ elements: [Element], _ count: Int) -> [[Element]] {
  stride(from: 0, to: elements.count, by: count).map { Array(elements[$0..<min($0 + count, elements.count)]) }
}
