import Config
import Metrics
import Redis
import Runtime

/// What answers at a configured address is another kind of server than the configuration says.
struct ServerUnfit: Check {
  let id = "server-unfit"
  let scope = CheckScope.members
  let blamesConfiguration = true

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    let topology = state.config.topology
    let seeds = Set(state.config.seeds.map { NodeAddress($0) })
    for (member, facts) in state.up where seeds.contains(member.address) {
      let isNode = facts.server.isClusterEnabled
      if facts.server.mode == .sentinel {
        verdict.find(
          topology.isIndependent ? .warning : .critical, node: member.instance,
          "is a Sentinel, not a server of the workload: name it in sentinel.seeds, with sentinel.master_name")
      } else if topology == .cluster, !isNode {
        verdict.find(
          .critical, node: member.instance, "is no node of a cluster: set topology: replication, or static")
      } else if topology != .cluster, topology != .static, isNode {
        verdict.find(.critical, node: member.instance, "is a node of a cluster: set topology: cluster")
      }
    }
    for address in state.following.sentinelServers.noSentinels {
      verdict.find(.critical, node: state.name(address), "is no Sentinel: correct sentinel.seeds")
    }
  }
}

/// No member answers at all.
struct NoMemberAnswers: Check {
  let id = "no-member-answers"

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    guard !state.isAnyoneUp else { return }
    // Before the first polls have ended nothing is known, and nothing wrong.
    if state.members.contains(where: { $0.answers == false }) {
      let problem = state.members.lazy.compactMap(\.problem).first
      verdict.find(.critical, "No member answers" + (problem.map { ": \($0)" } ?? ""))
    } else {
      verdict.unknown("no poll has ended yet")
    }
  }
}

/// Fewer masters answer than the configuration expects.
struct MastersMissing: Check {
  let id = "masters-missing"

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    let count = state.members.count(where: \.isMaster)
    guard let expected = state.config.expected.masters, count < expected, state.isAnyoneUp else { return }
    verdict.find(.critical, "\(count) of \(expected) masters answer")
  }
}

/// Fewer members answer than the configuration expects.
struct MembersMissing: Check {
  let id = "members-missing"

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    let count = state.members.count { $0.answers == true }
    guard let expected = state.config.expected.nodes, count < expected, count > 0 else { return }
    verdict.find(.warning, "\(count) of \(expected) members answer")
  }
}

/// A member does not answer, and the workload does not do without it.
struct NodeDown: Check {
  let id = "node-down"
  let scope = CheckScope.all

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    guard state.isAnyoneUp else { return }
    for member in state.members where member.answers == false && member.standing?.name != "ghost" {
      verdict.find(.warning, node: member.instance, "is down: \(member.silence)")
    }
  }
}

/// Polls are answered, and probes are not: the server is slow for everybody.
struct ProbeUnanswered: Check {
  let id = "probe-unanswered"
  let scope = CheckScope.members

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    for member in state.members where member.answers == true && member.isProbeAnswered == false {
      verdict.find(.warning, node: member.instance, "does not answer probes in time")
    }
  }
}

/// Servers are announced as members, and may not be, or are named by too few.
struct MembersRefused: Check {
  let id = "members-refused"

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    for reason in MemberRefusal.allCases {
      guard let (count, example) = state.turnedAway[reason] else { continue }
      let why =
        switch reason {
        case .form: "what is announced is no address in full and no host name"
        case .scope: "they reach this machine or link alone, and no seed does; members.allow may name them"
        case .allow: "members.allow does not name them"
        case .unconfirmed: "too few others name them, or they are too many at once"
        case .unproven: "no replica answers there, and any client may call itself a replica"
        }
      let shown = printable(Array(example.description.utf8.prefix(128))[...])
      let (noun, verb) = count == 1 ? ("member", "is") : ("members", "are")
      // A few that nobody has confirmed yet come with every change, and clients that read as replicas do with backups.
      let isUsual = [.unconfirmed, .unproven].contains(reason) && count <= Admission.Options().unconfirmedLimit
      verdict.find(
        isUsual ? .info : .warning, "\(count) announced \(noun), such as \(shown), \(verb) not admitted: \(why)")
    }
  }
}
