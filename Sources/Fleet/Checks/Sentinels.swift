import Config
import Metrics
import Runtime

/// Fewer Sentinels answer than there should be.
struct SentinelsMissing: Check {
  let id = "sentinels-missing"
  let scope = CheckScope.sentinels

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    guard let view = state.following.sentinelView else { return }
    if view.answeringCount == 0 {
      verdict.find(.critical, "No Sentinel answers")
    } else if let expected = state.config.expected.sentinels, view.answeringCount < expected {
      verdict.find(.warning, "\(view.answeringCount) of \(expected) Sentinels answer")
    }
  }
}

/// Sentinels answer, and none knows the master.
struct SentinelMasterUnknown: Check {
  let id = "sentinel-master-unknown"
  let scope = CheckScope.sentinels
  let blamesConfiguration = true
  /// Names that are listed.
  private static let nameLimit = 8

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    guard let view = state.sentinels, view.masterAddress == nil, let name = state.config.sentinel?.masterName else {
      return
    }
    let known = state.following.sentinelServers.masterNames
    guard !known.contains(name) else {
      return verdict.find(.critical, "No Sentinel names an address of master \(name)")
    }
    let more = known.count > Self.nameLimit ? " and \(known.count - Self.nameLimit) more" : ""
    let names = known.prefix(Self.nameLimit).map { $0.cut(toBytes: 128) }.joined(separator: ", ") + more
    verdict.find(
      .critical,
      "No Sentinel knows a master \(name)"
        + (known.isEmpty ? ", nor any other" : "; they know \(names): correct sentinel.master_name"))
  }
}

/// The Sentinels find the master down.
struct SentinelMasterDown: Check {
  let id = "sentinel-master-down"
  let scope = CheckScope.sentinels

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    if state.sentinels?.isMasterDown == true { verdict.find(.critical, "The Sentinels find the master down") }
  }
}

/// The Sentinels could not agree on a failover.
struct SentinelQuorumLost: Check {
  let id = "sentinel-quorum-lost"
  let scope = CheckScope.sentinels

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    guard state.sentinels?.hasQuorum == false else { return }
    verdict.find(.critical, "The Sentinels have no quorum: no failover can take place")
  }
}

/// Some Sentinels name another master than most.
struct SentinelsDisagree: Check {
  let id = "sentinels-disagree"
  let scope = CheckScope.sentinels

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    guard let view = state.sentinels, view.masterAddress != nil, !view.dissenters.isEmpty else { return }
    verdict.find(
      .warning, "\(view.dissenters.count) of \(view.answeringCount) Sentinels name another master, or know none")
  }
}

/// A failover is in progress.
struct FailoverUnderWay: Check {
  let id = "failover-under-way"
  let scope = CheckScope.sentinels

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    if state.sentinels?.isFailoverInProgress == true { verdict.find(.warning, "A failover is in progress") }
  }
}

/// The Sentinels of a group are not set up alike.
struct SentinelSettings: Check {
  let id = "sentinel-settings"
  let group = CheckGroup.posture
  let scope = CheckScope.sentinels

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    guard let view = state.sentinels else { return }
    if view.quorumSettings.count > 1 { verdict.find(.warning, "The Sentinels' quorum settings differ") }
    if view.isAddressMixed { verdict.find(.warning, "The Sentinels mix names and addresses of one group") }
  }
}

extension WorkloadState {
  /// nil where there are none, and while none answers.
  fileprivate var sentinels: SentinelView? { following.sentinelView.flatMap { $0.answeringCount > 0 ? $0 : nil } }
}

/// Switches of the master were published that did not take place, as far as anybody else knows.
struct FailoversUnconfirmed: Check {
  let id = "failovers-unconfirmed"
  let scope = CheckScope.sentinels

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    let count = state.unconfirmedFailoverCount
    guard count > 0 else { return }
    verdict.find(
      .info, "\(count) switches of the master were published that neither most Sentinels nor the servers confirm")
  }
}
