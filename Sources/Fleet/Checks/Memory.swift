import Config
import Metrics
import Runtime

/// Memory in use is above the objective.
struct MemoryHigh: Check {
  let id = "memory-high"
  let scope = CheckScope.members
  private static let ratio = Family.gauge(
    "memory_used_ratio",
    "Share of maxmemory in use, as Redis counts it for evictions (without buffers for replicas and AOF); absent without a limit.",
    labels: ["instance"], unit: .ratio)
  var families: [Family] { [Self.ratio] }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    for (member, facts) in state.up {
      guard let ratio = facts.memory.usedRatio else { continue }
      verdict.add(Self.ratio, ratio, .text(member.instance))
      guard let limit = state.objectives.memoryUsedRatio, ratio > limit else { continue }
      let text = "uses \(percent(ratio)) of maxmemory; the objective is \(percent(limit))"
      verdict.find(state.objectives.memoryPages ? .warning : .info, node: member.instance, text)
    }
  }
}

/// A member may grow until the machine is full.
struct MaxmemoryUnset: Check {
  let id = "maxmemory-unset"
  let group = CheckGroup.posture
  let scope = CheckScope.members
  private static let isSet = Family.gauge(
    "memory_limit_set", "Whether maxmemory is set: 1 yes, 0 no.", labels: ["instance"])
  var families: [Family] { [Self.isSet] }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    for (member, facts) in state.up {
      guard let limit = facts.memory.maxBytes else {
        verdict.unknown(.node(member.instance), "INFO does not name maxmemory")
        continue
      }
      verdict.add(Self.isSet, limit > 0 ? 1 : 0, .text(member.instance))
      if limit == 0 {
        verdict.find(.warning, node: member.instance, "has no maxmemory")
      }
    }
  }
}

/// maxmemory-policy is none that the workload allows.
struct EvictionPolicyUnfit: Check {
  let id = "eviction-policy-unfit"
  let group = CheckGroup.posture
  let scope = CheckScope.members
  private static let fits = Family.gauge(
    "eviction_policy_fits", "Whether maxmemory-policy is one that the workload allows: 1 yes, 0 no.",
    labels: ["instance"])
  var families: [Family] { [Self.fits] }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    for (member, facts) in state.up {
      guard let policy = facts.memory.policy else {
        verdict.unknown(.node(member.instance), "INFO does not name maxmemory_policy")
        continue
      }
      let fits = state.config.eviction.fits(policy)
      verdict.add(Self.fits, fits ? 1 : 0, .text(member.instance))
      if !fits {
        verdict.find(
          .warning, node: member.instance, "has maxmemory-policy \(policy), which does not fit the workload")
      }
    }
  }
}

/// A save may need more memory than the machine has.
struct ForkHeadroomGone: Check {
  let id = "fork-headroom-gone"
  let group = CheckGroup.posture
  let scope = CheckScope.members
  private static let copied = Family.gauge(
    "fork_copied_bytes",
    "Most memory copied on write by a child process, among the last one of each kind and one still running; absent before the first.",
    labels: ["instance"], unit: .bytes)
  private static let headroom = Family.gauge(
    "fork_headroom_bytes",
    "Machine memory left during a save: total memory minus the server (at maxmemory) minus fork_copied_bytes; negative if a save may need more than the machine has. Other processes are not counted.",
    labels: ["instance"], unit: .bytes)
  private static let worst = Family.gauge(
    "fork_worst_headroom_bytes",
    "Machine memory left during a save in the worst case: total memory minus the server as it is, counted twice because the child may copy all of it.",
    labels: ["instance"], unit: .bytes)
  var families: [Family] { [Self.copied, Self.headroom, Self.worst] }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    for (member, facts) in state.up {
      guard let fork = facts.fork else { continue }
      let instance = LabelValue(member.instance)
      if let bytes = fork.copiedBytes { verdict.add(Self.copied, Double(bytes), instance) }
      verdict.add(Self.worst, Double(fork.worstBytes), instance)
      guard let bytes = fork.expectedBytes else { continue }
      verdict.add(Self.headroom, Double(bytes), instance)
      if bytes < 0 {
        let missing = amount(Double(-bytes) / 1_048_576, "MiB", upTo: 1 << 30)
        let text = "A save of \(member.instance) may need \(missing) more memory than the machine has"
        verdict.find(.warning, .node(member.instance), text)
      }
    }
  }
}
