import Metrics

/// What a check's findings say.
public enum CheckGroup: String, Sendable, CaseIterable {
  /// How the workload serves now: decides on its state.
  case health
  /// How it is set up: shown apart, and never a state of health.
  case posture
}

/// What a check is asked of.
enum CheckScope: Sendable {
  /// The workload as a whole, its shards and its keys.
  case workload
  /// The workload as its Sentinels see it.
  case sentinels
  /// Each member that answers.
  case members
  /// Each member, whether it answers or not.
  case all
}

/// One judgement of a workload: what is wrong, and the samples that show it.
///
/// A check is a pure function of ``WorkloadState``; clocks and what was seen before are in there. The runner
/// (``Workload``) bounds what it finds and keeps since when it holds.
protocol Check: Sendable {
  /// A short, stable name in lower case with hyphens: the value of the label `check`.
  var id: String { get }
  var group: CheckGroup { get }
  /// What each of its answers is about.
  var scope: CheckScope { get }
  /// Whether what it finds is a mistake in the configuration, which the log tells, too.
  var blamesConfiguration: Bool { get }
  /// Every family that it may add samples to.
  var families: [Family] { get }

  /// Whether it has anything to say of the workload, if only that it cannot see.
  func applies(to state: WorkloadState) -> Bool

  /// Adds samples and findings, or says what it cannot see.
  func judge(_ state: WorkloadState, into verdict: inout Verdict)
}

extension Check {
  var group: CheckGroup { .health }
  var scope: CheckScope { .workload }
  var blamesConfiguration: Bool { false }
  var families: [Family] { [] }
  func applies(to state: WorkloadState) -> Bool { true }
}
