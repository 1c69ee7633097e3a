import Alerting
import Config
import Fleet
import PromQL
import Runtime

/// A recording as `redline replay` prints it.
struct ReplayText {
  private let timeline: ReplayTimeline
  private let from: Int64
  private let at: Int64?

  /// - Parameters:
  ///   - from: what happened before it is left out, in milliseconds since 1970.
  ///   - at: the time whose state is shown; nil for all that happened.
  init(_ timeline: ReplayTimeline, from: Int64?, at: Int64?) {
    self.timeline = timeline
    self.from = from ?? .min
    self.at = at
  }

  func text() throws -> String {
    let lines = at == nil ? history() : try state()
    return lines.joined(separator: "\n") + "\n"
  }

  private func time(_ milliseconds: Int64) -> String { Timestamp(epochMs: milliseconds).description }

  private var head: [String] {
    let span = "\(time(timeline.firstMilliseconds ?? 0)) to \(time(timeline.lastMilliseconds))"
    var lines = ["\(span), \(timeline.pollCount) polls, recorded by redline \(timeline.version)"]
    if timeline.droppedCount > 0 {
      lines.append(
        "\(timeline.droppedCount) polls and pages were left out: they came faster than they could be written")
    }
    return lines
  }

  // MARK: What happened

  private func history() -> [String] {
    var events: [(milliseconds: Int64, text: String)] = timeline.changes.map { change in
      let to = change.to == .inactive ? (change.from == .firing ? "resolved" : "no longer pending") : "\(change.to)"
      return (change.timeMilliseconds, "alert    \(to): \(change.labels)")
    }
    for told in timeline.told {
      events.append((told.milliseconds, "state    \(told.workload) is \(told.state)"))
      for line in told.begun { events.append((told.milliseconds, "finding  \(told.workload): \(self.line(line))")) }
      for line in told.ended {
        events.append((told.milliseconds, "finding  \(told.workload): no longer: \(line.check)"))
      }
    }
    let shown = events.enumerated().filter { $0.element.milliseconds >= from }
      .sorted { ($0.element.milliseconds, $0.offset) < ($1.element.milliseconds, $1.offset) }
    return head + [""] + shown.map { "\(time($0.element.milliseconds))  \($0.element.text)" }
  }

  private func line(_ line: RecordedJudgement.Line) -> String {
    "\(line.severity ?? "unknown") \(oneLine(line.text)) [\(line.check)]"
  }

  // MARK: How it stood

  private func state() throws -> [String] {
    var lines = ["How the fleet stood at \(time(at ?? 0))", ""]
    for name in timeline.workloads {
      let judgement = timeline.fleet.judgements[name]
      lines.append("\(judgement?.state ?? "unknown") \(name)")
      for line in judgement?.lines ?? [] {
        lines.append("  since \(time(line.since.epochMs)): \(self.line(line))")
      }
      for member in try timeline.fleet.members(of: name) { lines.append("    \(self.member(member))") }
    }
    lines.append("")
    let alerts = timeline.alerts
    lines.append(alerts.isEmpty ? "no alert was pending or firing" : "alerts")
    for alert in alerts {
      lines.append(
        "  \(alert.state) since \(time(alert.firedAtMilliseconds ?? alert.activeAtMilliseconds)): \(alert.labels)")
    }
    return lines
  }

  private func member(_ member: ReplayedFleet.Member) -> String {
    var parts = ["\(member.instance) \(member.role) \(member.state)"]
    if member.isProbeAnswered == false { parts.append("probe not answered") }
    if let used = member.usedMemoryBytes {
      parts.append("memory \(used)" + (member.maxMemoryBytes.flatMap { $0 > 0 ? " of \($0) bytes" : nil } ?? " bytes"))
    }
    if let clients = member.clientCount { parts.append("\(clients) clients") }
    if let rate = member.operationsPerSecond { parts.append("\(Int(clamping: rate)) commands/s") }
    parts.append("polled at \(time(member.time.epochMs))")
    return parts.joined(separator: ", ")
  }

  // MARK: JSON

  func json() throws -> String {
    var json = JSONWriter()
    var failure: RecordingDamage?
    json.object { json in
      json.field("version", timeline.version)
      json.field("from", time(timeline.firstMilliseconds ?? 0))
      json.field("to", time(timeline.lastMilliseconds))
      json.field("polls", timeline.pollCount)
      json.field("dropped", timeline.droppedCount)
      json.key("workloads")
      json.array { json in
        for name in timeline.workloads {
          json.object { json in
            do throws(RecordingDamage) { try write(name, to: &json) } catch { failure = error }
          }
        }
      }
      json.key("alerts")
      json.array { json in
        for alert in timeline.alerts {
          json.object { json in
            json.key("labels")
            json.texts(Self.labels(alert.labels))
            json.field("state", alert.state.rawValue)
            json.field("active", time(alert.activeAtMilliseconds))
            if let fired = alert.firedAtMilliseconds { json.field("fired", time(fired)) }
          }
        }
      }
      json.key("changes")
      json.lines { json in
        for change in timeline.changes where change.timeMilliseconds >= from {
          json.object { json in
            json.field("time", time(change.timeMilliseconds))
            json.field("group", change.group)
            json.key("labels")
            json.texts(Self.labels(change.labels))
            json.field("from", change.from.rawValue)
            json.field("to", change.to.rawValue)
            json.field("active", time(change.activeAtMilliseconds))
            json.field("summary", change.annotations["summary"] ?? "")
          }
        }
      }
    }
    if let failure { throw ReplayProblem(failure.description) }
    json.verbatim("\n")
    return json.text
  }

  private static func labels(_ labels: Labels) -> [String: String] {
    Dictionary(labels.pairs.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
  }

  private func write(_ name: String, to json: inout JSONWriter) throws(RecordingDamage) {
    let judgement = timeline.fleet.judgements[name]
    json.field("name", name)
    json.field("state", judgement?.state ?? "unknown")
    json.key("findings")
    json.array { json in
      for line in judgement?.lines ?? [] {
        json.object { json in
          json.field("check", line.check)
          json.field("severity", line.severity ?? "unknown")
          if let instance = line.instance { json.field("instance", instance) }
          json.field("text", line.text)
          json.field("since", time(line.since.epochMs))
        }
      }
    }
    let members = try timeline.fleet.members(of: name)
    json.key("members")
    json.array { json in
      for member in members {
        json.object { json in
          json.field("instance", member.instance)
          json.field("role", member.role)
          json.field("state", member.state)
          json.field("polled", time(member.time.epochMs))
          if let used = member.usedMemoryBytes { json.field("usedMemoryBytes", used) }
          if let clients = member.clientCount { json.field("clients", clients) }
        }
      }
    }
  }
}
