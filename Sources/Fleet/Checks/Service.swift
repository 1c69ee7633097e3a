import Config
import Metrics
import Redis
import Runtime

/// All keys of a database were deleted at once.
struct Flushed: Check {
  let id = "flushed"
  let scope = CheckScope.members
  /// How long it is told.
  static let tellSeconds = 600.0

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    for member in state.members where member.isMaster {
      guard let age = member.flush.map({ state.wall - $0.wall }), age <= Self.tellSeconds else {
        continue
      }
      verdict.find(
        .critical, .node(member.instance), "FLUSHALL or FLUSHDB ran on \(member.instance) \(span(age)) ago")
    }
  }
}

/// A server turned clients away because it had no connection left.
struct ClientsRefused: Check {
  let id = "clients-refused"
  let scope = CheckScope.members
  /// How long it is told.
  static let tellSeconds = 300.0

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    for member in state.members {
      guard let refusal = member.refusal else { continue }
      let age = state.wall - refusal.wall
      guard age <= Self.tellSeconds else { continue }
      let clients = refusal.count == 1 ? "a client" : amount(Double(refusal.count), "clients", upTo: 1_000_000_000)
      verdict.find(
        .critical, node: member.instance, "refused \(clients) \(span(age)) ago: maxclients")
    }
  }
}

/// Clients are paused: what they send waits for an answer, as in an outage.
struct ClientsPaused: Check {
  let id = "clients-paused"
  let scope = CheckScope.members
  /// A failover that was planned takes no longer.
  private static let plannedSeconds = 10.0

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    for (member, facts) in state.up {
      guard let pause = facts.pause else { continue }
      let isLong = pause.isOrdered && (pause.remainingSeconds ?? .infinity) > Self.plannedSeconds
      let what = pause.actions == "write" ? "writes" : "clients"
      let rest = pause.remainingSeconds.map { "for \(span($0)) more" } ?? "for how long it does not tell"
      let reason = printable(Array(pause.reason.utf8.prefix(64))[...])
      verdict.find(
        !isLong ? .info : member.isMaster ? .critical : .warning, node: member.instance,
        "pauses \(what) \(rest): \(pause.isOrdered ? "CLIENT PAUSE; CLIENT UNPAUSE ends it" : reason)")
    }
  }
}

/// Too few lookups find their key.
struct HitRatioLow: Check {
  let id = "hit-ratio-low"
  private static let ratio = Family.gauge(
    "workload_hit_ratio",
    "Share of key lookups on the masters that found their key, over the last 15 minutes, without the exporter's own; absent below 10 lookups a second.",
    unit: .ratio)
  var families: [Family] { [Self.ratio] }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    guard let ratio = state.hitRatio?.value else { return }
    verdict.add(Self.ratio, ratio)
    guard let limit = state.objectives.hitRatio, ratio < limit else { return }
    verdict.find(
      .warning, "\(percent(ratio)) of lookups found their key over the last minutes; the objective is \(percent(limit))"
    )
  }
}
