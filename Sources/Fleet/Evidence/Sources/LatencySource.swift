import Redis
import Runtime

/// What the latency monitor saw, and which commands were slow by their histograms.
struct LatencySource: EvidenceSource {
  let name = "latency"
  let title = "Latency"
  let summary = "events of the latency monitor, and slow calls by command since the last look"

  /// In microseconds: what a client notices.
  private static let slowMicroseconds = 10_000.0

  func commands(for server: ServerFacts, masterName: String?) -> [Command] {
    guard server.mode != .sentinel, server.version >= Version(2, 8, 13) else { return [] }
    return [["LATENCY", "LATEST"], ["CONFIG", "GET", "latency-monitor-threshold"]]
      + (server.version >= Version(7) ? [["LATENCY", "HISTOGRAM"]] : [])
  }

  func read(_ replies: [Reply], into reading: inout NodeReading) {
    var lines: [String] = []
    for event in replies.first?.elements.map({ Array($0.prefix(64)) }) ?? [] {
      guard let parts = event.elements.map({ Array($0) }), parts.count >= 3, let time = parts[1].double, time.isFinite,
        let milliseconds = parts[2].double, milliseconds.isFinite, let name = parts[0].bytes.flatMap(Self.eventName)
      else { continue }
      let seen = NodeFacts.LatencyEvent(name: name, at: WallTime(seconds: time), seconds: max(0, milliseconds / 1000))
      reading.facts.latency.append(seen)
      if seen.at >= reading.since {
        lines.append("\(name): \(EvidenceText.duration(seen.seconds)) at \(EvidenceText.clock(seen.at))")
      }
    }
    if replies.count > 1, let threshold = replies[1].elements?[1]?.integer {
      reading.facts.settings["latency-monitor-threshold"] = "\(threshold)"
      if threshold == 0 {
        lines.append(
          "latency-monitor-threshold is 0, so LATENCY has nothing to tell: CONFIG SET latency-monitor-threshold 100 turns it on"
        )
      }
    }
    if lines.isEmpty { lines.append("no event since \(EvidenceText.clock(reading.since))") }
    var table: Evidence.Table?
    if replies.count > 2, let counts = Self.counts(replies[2]) {
      let before = reading.earlier.flatMap { $0.calls.isEmpty ? nil : $0.calls }
      reading.facts.calls = counts
      table = Self.table(counts, before: before)
      if table == nil, before != nil { lines.append("no call took longer than 10 ms since the last look") }
    }
    reading.sections.append(section(lines, table))
  }

  /// A kind of event, as the server's source names them: `command`, `aof-fsync-always`.
  private static func eventName(_ bytes: ArraySlice<UInt8>) -> String? {
    CommandShape.commandName(bytes)
  }

  /// Calls of each command, and those of them that took longer than 10 ms.
  ///
  /// - Returns: nil for another shape.
  private static func counts(_ reply: Reply) -> [String: NodeFacts.Calls]? {
    guard let elements = reply.elements else { return nil }
    var counts: [String: NodeFacts.Calls] = [:]
    var iterator = elements.makeIterator()
    while let name = iterator.next(), let details = iterator.next(), counts.count < 400 {
      guard let command = name.bytes.flatMap(CommandShape.commandName), !LatencyCommands.isBlocking(command),
        let calls = details.field("calls")?.double, calls.isFinite,
        let buckets = details.field("histogram_usec")?.numbers, buckets.count.isMultiple(of: 2)
      else { continue }
      var within = 0.0
      for place in stride(from: 0, to: buckets.count, by: 2) where buckets[place] <= slowMicroseconds {
        within = max(within, buckets[place + 1])
      }
      counts[command] = NodeFacts.Calls(all: calls, slow: max(0, calls - within))
    }
    return counts
  }

  private static func table(_ now: [String: NodeFacts.Calls], before: [String: NodeFacts.Calls]?) -> Evidence.Table? {
    let rows = now.compactMap { command, calls -> (String, NodeFacts.Calls)? in
      guard let old = before?[command], old.all <= calls.all, old.slow <= calls.slow else { return (command, calls) }
      return (command, NodeFacts.Calls(all: calls.all - old.all, slow: calls.slow - old.slow))
    }.filter { $0.1.slow > 0 }.sorted { ($1.1.slow, $0.0) < ($0.1.slow, $1.0) }
    guard !rows.isEmpty else { return nil }
    return Evidence.Table(
      ["command", before == nil ? "calls over 10 ms since the start" : "calls over 10 ms", "of calls"],
      rows.map {
        [$0.0.uppercased().replacing("|", with: " "), EvidenceText.count($0.1.slow), EvidenceText.count($0.1.all)]
      })
  }
}

extension NodeFacts {
  /// Calls of one command since the start or CONFIG RESETSTAT.
  struct Calls: Sendable, Equatable {
    let all: Double
    /// Those that took longer than 10 ms.
    let slow: Double
  }
}
