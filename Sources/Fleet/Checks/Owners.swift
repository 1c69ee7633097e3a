import Config

/// Nobody has said what the workload does while Redis is lost, so that who is woken must ask at night.
struct DegradedModeUndeclared: Check {
  let id = "degraded-mode-undeclared"
  let group = CheckGroup.posture

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    // While nobody answers, there are other things to say.
    guard state.config.degraded == nil, state.isAnyoneUp else { return }
    verdict.find(.info, "redline.yml does not say what happens while Redis is lost: declare degraded.on_redis_loss")
  }
}
