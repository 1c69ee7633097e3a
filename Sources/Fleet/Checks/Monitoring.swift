import Runtime

/// The latency monitor is off, so that `LATENCY DOCTOR` and evidence have nothing to tell when they are asked.
struct LatencyMonitorOff: Check {
  let id = "latency-monitor-off"
  let group = CheckGroup.posture

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    let known = state.up.compactMap { $0.facts.latencyMonitorMilliseconds }
    let offCount = known.count { $0 == 0 }
    guard offCount > 0 else { return }
    let who = offCount == known.count ? "every server" : "\(offCount) of \(known.count) servers"
    verdict.find(
      .info,
      "latency-monitor-threshold is 0 on \(who): LATENCY DOCTOR has nothing to tell when it is asked. CONFIG SET latency-monitor-threshold 100 turns it on"
    )
  }
}
