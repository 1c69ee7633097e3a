import Config
import Drills
import Fleet
import Runtime

/// What a backup is compared with: the servers as they are, what a daemon has of the time of the file, and the last result.
struct BackupBaselineReader {
  let workload: WorkloadConfig
  let config: FleetConfig
  let subject: AccessSubject
  let daemon: DaemonOptions
  let results: ResultsConfig?

  /// How far around the time of a file its keys are looked at: two polls of ten seconds, and as much for clocks.
  private static let keysSeconds = 60.0
  private static let offsetSeconds = 900.0
  private static let stepSeconds = 5.0

  func read(_ facts: BackupFacts) async -> BackupBaseline {
    var baseline = BackupBaseline()
    if let folder = results?.path { baseline.last = await LastBackup.read(folder, workload: workload.name) }
    // What could not be read at all is compared with nothing.
    guard facts.contents != nil || facts.header != nil else { return baseline }
    let name = workload.name
    let members = await FleetSearch.run(config.limited { $0.name == name }, subject) { await $0.members() }
    for member in members where member.role != .sentinel {
      let server = await LiveServer.ask(
        member.instance, member.node.poller.options.connection, in: subject.factory.context)
      if let server { baseline.servers.append(server) }
    }
    baseline.isSharded = workload.topology == .cluster || baseline.servers.count(where: \.isMaster) > 1
    guard let url = daemon.url, let writtenAt = facts.writtenAt else { return baseline }
    do {
      baseline.history = try await keys(url, at: writtenAt)
      if let offset = facts.header?.replicationOffset, let origin = baseline.origin(of: facts.header) {
        baseline.offsetReachedAt = try await points(url, origin, around: writtenAt).lastCurrent(offset, now: .now)
      }
    } catch {
      Redline.printError("\(error)")
    }
    return baseline
  }

  private var matcher: String { "workload=\"\(workload.name)\"" }

  /// The fewest and the most keys of each database around a time; nil where the daemon has nothing of it.
  private func keys(_ url: String, at time: WallTime) async throws -> [Int: ClosedRange<Double>]? {
    let window = "[\(Int(clamping: 2 * Self.keysSeconds))s]"
    let end = min(time + Self.keysSeconds, .now)
    func values(_ function: String) async throws -> [Int: Double] {
      let query = "max by (db) (\(function)(redis_db_keys{\(matcher)}\(window)))"
      let data = try await daemon.ask(url, "query?query=\(query.percentEncoded())&time=\(end.seconds)")
      var values: [Int: Double] = [:]
      for one in data["result"]?.elements ?? [] {
        guard let name = one["metric"]?["db"]?.string, let number = Int(name.drop { !$0.isNumber }),
          let value = one["value"]?.elements.last?.string.flatMap(Double.init), value.isFinite, value >= 0
        else { continue }
        values[number] = value
      }
      return values
    }
    let (least, most) = (try await values("min_over_time"), try await values("max_over_time"))
    guard !most.isEmpty else { return nil }
    return Dictionary(uniqueKeysWithValues: most.map { ($0.key, min(least[$0.key] ?? $0.value, $0.value)...$0.value) })
  }

  private func points(_ url: String, _ origin: LiveServer, around time: WallTime) async throws -> OffsetPoints {
    let query = "redis_master_repl_offset{\(matcher),instance=\"\(origin.instance)\"}"
    let (start, end) = (time - Self.offsetSeconds, min(time + Self.offsetSeconds, .now))
    let target =
      "query_range?query=\(query.percentEncoded())&start=\(start.seconds)&end=\(end.seconds)&step=\(Int(clamping: Self.stepSeconds))"
    let series = try await daemon.ask(url, target)["result"]?.elements.first?["values"]?.elements ?? []
    return OffsetPoints(
      series.compactMap { point in
        guard let at = point.elements.first?.number, let offset = point.elements.last?.string.flatMap(Double.init)
        else {
          return nil
        }
        return OffsetPoints.Point(at: WallTime(seconds: at), offset: offset)
      })
  }
}
