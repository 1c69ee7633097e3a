import Config
import Metrics
import Redis
import Runtime

/// Clients get no lock: fewer of Redlock's servers answer than most of them.
struct RedlockQuorumLost: Check {
  let id = "redlock-quorum-lost"
  private static let up = Family.gauge(
    "redlock_masters_up", "Servers of the Redlock that answer as masters and have loaded their data.")
  private static let quorum = Family.gauge(
    "redlock_quorum", "Servers that must give a lock before a client holds it: more than half of those configured.")
  var families: [Family] { [Self.up, Self.quorum] }

  func applies(to state: WorkloadState) -> Bool { state.config.redlock != nil }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    // Before every server was polled once, nothing is known.
    guard state.config.redlock != nil, !state.members.isEmpty, state.members.allSatisfy({ $0.answers != nil }) else {
      return
    }
    let (count, upCount) = (state.config.seeds.count, state.redlockMasters.count)
    let quorum = count / 2 + 1
    verdict.add(Self.up, Double(upCount))
    verdict.add(Self.quorum, Double(quorum))
    if upCount < quorum {
      verdict.find(
        .critical, "\(upCount) of \(count) Redlock servers answer: no client gets a lock, \(quorum) are needed")
    }
  }
}

/// A server came back without the locks that it gave.
struct RedlockRestarted: Check {
  let id = "redlock-restarted"
  let scope = CheckScope.members
  private static let restarts = Family.counter(
    "redlock_unsafe_restarts_total",
    "Restarts of Redlock servers that lost the locks they had given, sooner than redlock.max_ttl after they went away.")
  var families: [Family] { [Self.restarts] }
  /// As in the alert RedisRedlockUnsafe.
  static let shownSeconds = 600.0

  func applies(to state: WorkloadState) -> Bool { state.config.redlock != nil }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    guard let config = state.config.redlock, let redlock = state.redlock else { return }
    verdict.add(Self.restarts, Double(redlock.unsafeCount))
    for (member, facts) in state.up {
      if RedlockTracker.isDurable(facts.persistence) == nil {
        verdict.unknown(.node(member.instance), facts.persistence.isTold ? "+config|get" : "INFO persistence")
      }
      guard let restarted = redlock.lastUnsafeRestart(of: member.address), state.wall - restarted < Self.shownSeconds
      else { continue }
      verdict.find(
        .warning, node: member.instance,
        "was restarted without the locks that it gave, and not away for \(span(config.maxTTL.seconds)): a lock may have been given twice"
      )
    }
  }
}

/// Locks are left on servers without a majority.
struct RedlockSplit: Check {
  let id = "redlock-split"
  private static let split = Family.gauge(
    "redlock_split_locks",
    "Locks that some servers hold and no majority does, in two walks at least redlock.max_ttl apart; absent while that is not known."
  )
  var families: [Family] { [Self.split] }

  func applies(to state: WorkloadState) -> Bool { state.config.redlock != nil }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    guard state.config.redlock != nil else { return }
    if state.keys.refused(to: LockWatch.self).contains("scan") { verdict.unknown("+scan") }
    guard let count = state.keys.splitLockCount else { return }
    verdict.add(Self.split, Double(count))
    if count > 0 {
      verdict.find(
        .info,
        "\(count) \(count == 1 ? "lock is" : "locks are") held by some servers and by no majority: clients do not undo attempts that failed"
      )
    }
  }
}

/// The servers cannot give what Redlock promises.
struct RedlockUnfit: Check {
  let id = "redlock-unfit"
  let group = CheckGroup.posture
  let scope = CheckScope.members

  func applies(to state: WorkloadState) -> Bool { state.config.redlock != nil }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    guard state.config.redlock != nil else { return }
    let count = state.config.seeds.count
    if count.isMultiple(of: 2) {
      verdict.find(
        .info, "\(count) Redlock servers bear the loss of no more than \(count - 1) would: an odd number is enough")
    }
    for (member, facts) in state.up {
      if facts.replication?.isMaster == false {
        verdict.find(.critical, node: member.instance, "is a replica: a lock on it is none of its own")
      } else if let replicas = facts.replication?.replicas, !replicas.isEmpty {
        verdict.find(
          .warning, node: member.instance, key: "replica",
          "has a replica: where that is promoted, locks that it had not received are given twice")
      }
      if let policy = facts.memory.policy, policy != "noeviction", facts.memory.maxBytes != 0 {
        verdict.find(.warning, node: member.instance, key: "eviction", "may evict locks: maxmemory-policy is \(policy)")
      }
    }
    let hosts = Dictionary(grouping: state.members, by: \.address.host).filter { $0.value.count > 1 }
    for (host, members) in hosts.sorted(by: { $0.key < $1.key }) {
      // On loopback somebody tries it out.
      let isHere = host == "localhost" || IPAddress(host)?.scope == .loopback
      verdict.find(
        isHere ? .info : .warning,
        "\(members.count) Redlock servers are on \(host): one machine that is lost takes as many votes")
    }
  }
}

extension WorkloadState {
  /// Servers that can give locks.
  var redlockMasters: [Member] {
    members.filter { $0.answers == true && $0.isMaster && $0.pollState != TargetState.loading.name }
  }
}
