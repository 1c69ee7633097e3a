import Metrics

/// The family that says how the gathering of evidence goes.
public enum EvidenceFamilies {
  static let total = Family.counter(
    "exporter_evidence_total",
    "Looks for evidence about alerts since the start, by outcome: complete when every server that was asked answered, partial when some did, failed when none did, omitted when there were too many alerts.",
    labels: ["outcome"])

  static let outcomes = ["complete", "partial", "failed", "omitted"]

  public static let all = [total]
}
