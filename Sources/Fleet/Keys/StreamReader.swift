import Redis

/// Finds out about streams: their types first, so that a key that is no stream raises no error on the server.
struct StreamReader: Sendable {
  let link: KeyLink
  let excludesConsumers: Bool
  /// Whether XINFO STREAM FULL knows `nacked-count` (Redis 8.8).
  var readsNacked = false

  struct Reading: Sendable {
    var reports: [StreamReport] = []
    /// The server's clock in milliseconds since the epoch.
    var nowMilliseconds: Double?
    /// Keys that belong to another node of the cluster.
    var elsewhere: [[UInt8]] = []
  }

  /// - Parameter names: at most ``KeyWorkLimits/batchStreams``.
  func read(_ names: [[UInt8]], database: Int, node: Endpoint?) async throws(RedisError) -> Reading {
    var reading = Reading()
    let types = try await link.send(names.map { KeyCommand.type($0) }, to: node, database: database)
    var streams: [[UInt8]] = []
    for (name, reply) in zip(names, types) {
      let report = KeyReport(name: name, type: reply, memory: nil)
      if report.isElsewhere { reading.elsewhere.append(name) }
      if report.type == "stream" { streams.append(name) }
    }
    guard !streams.isEmpty else { return reading }
    let perStream = readsNacked ? 3 : 2
    let replies = try await link.send(
      streams.flatMap { name in
        [KeyCommand.xinfoStream(name), KeyCommand.xinfoGroups(name)]
          + (readsNacked ? [KeyCommand.xinfoStreamFull(name)] : [])
      } + [["TIME"]], to: node, database: database)
    reading.nowMilliseconds = replies.last.flatMap { $0.flatMap(Self.milliseconds) }
    for (index, name) in streams.enumerated() {
      let start = index * perStream
      guard var report = StreamReport(name: name, stream: replies[start], groups: replies[start + 1]) else { continue }
      if readsNacked { report.readFull(replies[start + 2]) }
      reading.reports.append(report)
    }
    try await readGroups(&reading.reports, database, node)
    return reading
  }

  /// The same. XINFO STREAM answers with two whole entries: a stream whose entries are larger than the daemon takes is left
  /// out alone, with the error in `left`.
  func readApart(
    _ names: [[UInt8]], database: Int, node: Endpoint?, leaving left: inout [RedisError]
  ) async throws(RedisError) -> Reading {
    do throws(RedisError) {
      return try await read(names, database: database, node: node)
    } catch {
      guard error.errorClass == .limit else { throw error }
      guard names.count > 1 else {
        left.append(error)
        return Reading()
      }
      var whole = Reading()
      for name in names {
        let reading = try await readApart([name], database: database, node: node, leaving: &left)
        whole.reports += reading.reports
        whole.elsewhere += reading.elsewhere
        whole.nowMilliseconds = reading.nowMilliseconds ?? whole.nowMilliseconds
      }
      return whole
    }
  }

  private func readGroups(
    _ reports: inout [StreamReport], _ database: Int, _ node: Endpoint?
  ) async throws(RedisError) {
    typealias Place = (report: Int, group: Int, readsConsumers: Bool)
    var places: [Place] = []
    var commands: [Command] = []
    for (index, report) in reports.enumerated() {
      for (number, group) in report.groups.enumerated() {
        if !excludesConsumers {
          places.append((index, number, true))
          commands.append(KeyCommand.xinfoConsumers(report.name, group.name))
        }
        if let pending = group.pending, pending > 0 {
          places.append((index, number, false))
          commands.append(KeyCommand.xpending(report.name, group.name))
        }
      }
    }
    var start = 0
    while start < commands.count {
      let end = min(commands.count, start + KeyWorkLimits.batchKeys)
      let replies = try await link.send(Array(commands[start..<end]), to: node, database: database)
      for (place, reply) in zip(places[start..<end], replies) {
        if place.readsConsumers {
          reports[place.report].groups[place.group].readConsumers(reply)
        } else {
          reports[place.report].groups[place.group].readPending(reply)
        }
      }
      start = end
    }
  }

  /// TIME answers seconds and microseconds.
  private static func milliseconds(_ reply: Reply) -> Double? {
    guard let elements = reply.elements, let seconds = elements[0]?.double, let micros = elements[1]?.double else {
      return nil
    }
    return seconds * 1000 + (micros / 1000).rounded(.down)
  }
}
