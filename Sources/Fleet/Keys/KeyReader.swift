import Redis

/// Finds out about keys in three batches: type and memory, then size and the start of strings, then HyperLogLogs.
struct KeyReader: Sendable {
  let link: KeyLink
  /// Whether values are fetched at all.
  let readsValues: Bool

  /// - Parameter names: at most ``KeyWorkLimits/batchKeys``.
  func reports(of names: [[UInt8]], database: Int, node: Endpoint?) async throws(RedisError) -> [KeyReport] {
    let replies = try await link.send(
      names.flatMap { [KeyCommand.type($0), KeyCommand.memoryUsage($0)] }, to: node, database: database)
    var reports = names.indices.map {
      KeyReport(name: names[$0], type: replies[2 * $0], memory: replies[2 * $0 + 1])
    }
    let counted = try await readSizes(&reports, database, node)
    try await readHyperLogLogs(counted, &reports, database, node)
    return reports
  }

  /// - Returns: the places of strings that look like a HyperLogLog.
  private func readSizes(
    _ reports: inout [KeyReport], _ database: Int, _ node: Endpoint?
  ) async throws(RedisError) -> [Int] {
    let places = reports.indices.filter { KeyCommand.size([], ofType: reports[$0].type) != nil }
    let strings = places.filter { reports[$0].type == "string" }
    guard !places.isEmpty else { return [] }
    let prefixCount = readsValues ? KeyWorkLimits.valueBytes + 1 : Self.hyperLogLogMark.count
    let commands =
      places.compactMap { KeyCommand.size(reports[$0].name, ofType: reports[$0].type) }
      + strings.map { KeyCommand.prefix(reports[$0].name, count: prefixCount) }
    let replies = try await link.send(commands, to: node, database: database)
    for (place, reply) in zip(places, replies) {
      reports[place].size = reply.flatMap { $0.isError ? nil : $0.double }
    }
    var hyperLogLogs: [Int] = []
    for (place, reply) in zip(strings, replies.dropFirst(places.count)) {
      guard let reply, !reply.isError, let bytes = reply.bytes else { continue }
      if bytes.starts(with: Self.hyperLogLogMark) {
        hyperLogLogs.append(place)
      } else if readsValues {
        reports[place].value = KeyReport.value(of: bytes)
      }
    }
    return hyperLogLogs
  }

  /// PFCOUNT answers a string that only looks like a HyperLogLog with an error: it stays a string.
  private func readHyperLogLogs(
    _ places: [Int], _ reports: inout [KeyReport], _ database: Int, _ node: Endpoint?
  ) async throws(RedisError) {
    guard !places.isEmpty else { return }
    let replies = try await link.send(
      places.map { KeyCommand.hyperLogLogCount(reports[$0].name) }, to: node, database: database)
    for (place, reply) in zip(places, replies) {
      if let reply, !reply.isError, let count = reply.double { reports[place].size = count }
    }
  }

  private static let hyperLogLogMark = Array("HYLL".utf8)
}
