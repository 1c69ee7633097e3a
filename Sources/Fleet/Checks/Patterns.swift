import Config
import Metrics
import Runtime

extension Verdict {
  /// What a watch over keys would find is unknown where a server refuses one of the commands that tell.
  mutating func noteRefusals(
    of kind: (some ConfiguredWatch).Type, _ state: WorkloadState, _ commands: Set<String>
  ) {
    let refused = state.keys.refused(to: kind).intersection(commands.union(["scan"]))
    if !refused.isEmpty { unknown(refused.sorted().map { "+\($0)" }.joined(separator: " ")) }
  }
}

/// Locks that never expire.
struct LockWithoutTTL: Check {
  let id = "lock-without-ttl"

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    verdict.noteRefusals(of: LockWatch.self, state, ["pttl"])
    let count = state.keys.found(by: LockWatch.self).reduce(0) { $0 + $1.withoutTTLCount }
    guard count > 0 else { return }
    verdict.find(.warning, count == 1 ? "A lock never expires" : "\(count) locks never expire")
  }
}

/// The failures that a circuit breaker counts have reached its threshold.
struct CircuitOpen: Check {
  let id = "circuit-open"

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    verdict.noteRefusals(of: CircuitWatch.self, state, ["getrange"])
    let summaries = state.keys.found(by: CircuitWatch.self)
    let open = summaries.flatMap(\.circuits).filter(\.isOpen)
    for circuit in open.sorted(by: { ($1.failures, $0.service) < ($0.failures, $1.service) }) {
      let service = keyLabel(Array(circuit.service.utf8))
      let count = Int(clamping: min(circuit.failures, 1e15))
      verdict.find(.warning, .keys(service), "The circuit of \(service) is open: \(count) failures")
    }
    let count = summaries.reduce(0) { $0 + $1.openCount }
    if count > open.count {
      verdict.find(.warning, "\(count - open.count) more circuits are open")
    }
  }
}

/// Entries of a stream wait for a group that nobody reads for.
struct StreamGroupWithoutConsumer: Check {
  let id = "stream-group-without-consumer"

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    verdict.noteRefusals(of: StreamWatch.self, state, StreamQuestions.rights)
    for stream in state.keys.found(by: StreamWatch.self).flatMap(\.streams) {
      for group in stream.report.groups where group.consumers == 0 {
        guard (group.lag ?? 0) > 0 || (stream.report.lagSeconds(of: group) ?? 0) > 0 else { continue }
        let name = keyLabel(stream.report.name)
        verdict.find(
          .warning, .keys(name),
          "Entries of stream \(name) wait for group \(keyLabel(group.name)), which has no consumer")
      }
    }
  }
}

/// Consumers of a stream are behind.
struct StreamLagHigh: Check {
  let id = "stream-lag-high"
  /// As in the alert RedisStreamLagHigh.
  static let limitSeconds = 60.0

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    verdict.noteRefusals(of: StreamWatch.self, state, StreamQuestions.rights)
    for stream in state.keys.found(by: StreamWatch.self).flatMap(\.streams) {
      for group in stream.report.groups where group.consumers != 0 {
        guard let lag = stream.report.lagSeconds(of: group), lag > Self.limitSeconds else { continue }
        let name = keyLabel(stream.report.name)
        verdict.find(.warning, .keys(name), "Group \(keyLabel(group.name)) of stream \(name) is \(span(lag)) behind")
      }
    }
  }
}

/// An entry was given to a consumer long ago and is not acknowledged.
struct StreamPendingOld: Check {
  let id = "stream-pending-old"
  /// As in the alert RedisStreamPendingOld.
  static let limitSeconds = 600.0

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    verdict.noteRefusals(of: StreamWatch.self, state, StreamQuestions.rights.union(["xpending", "time"]))
    for stream in state.keys.found(by: StreamWatch.self).flatMap(\.streams) {
      for group in stream.report.groups {
        guard let age = stream.report.oldestPendingSeconds(of: group, stream.nowMilliseconds), age > Self.limitSeconds
        else { continue }
        let name = keyLabel(stream.report.name)
        verdict.find(
          .warning, .keys(name),
          "An entry of stream \(name) that group \(keyLabel(group.name)) was given is \(span(age)) old and not acknowledged"
        )
      }
    }
  }
}
