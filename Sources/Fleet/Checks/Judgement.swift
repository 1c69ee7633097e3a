/// A workload at one look, with what the checks say of it: what pages and answers are made of.
struct Judgement: Sendable {
  let state: WorkloadState
  /// With the time since when each holds, the worst first.
  let findings: [Finding]
  let unknowns: [Blindness]
  let asides: [Aside]
  let health: HealthHistory
}
