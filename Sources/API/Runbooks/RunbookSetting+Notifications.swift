import Alerting
import Config
import PromQL

extension RunbookSetting {
  /// What Alertmanagers are told beyond what the rule says: the link to a runbook of this program leads to it with its
  /// commands filled in, and who is paged learns what the workload does while Redis is lost.
  public func annotated(_ notice: Notification) -> Notification {
    let labels = Dictionary(notice.labels.pairs.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    let annotations = annotated(labels: labels, notice.annotations)
    return annotations == notice.annotations ? notice : notice.annotated(annotations)
  }

  func annotated(labels: [String: String], _ given: [String: String]) -> [String: String] {
    var annotations = given
    if let link = annotations[Self.linkName], let ownAddress, link.hasPrefix(ownAddress + "/runbooks/"),
      !link.contains("?"), !link.contains("#")
    {
      annotations[Self.linkName] = link + RunbookQuery.text { labels[$0] }
    }
    if let name = labels["workload"], let degraded = workloads[name]?.degraded,
      labels["severity"] == "critical", labels[WorkloadAlert.postureLabel] != "true",
      annotations[Self.degradedName] == nil
    {
      annotations[Self.degradedName] = degraded.sentence
    }
    return annotations
  }

  /// The same with a link to the evidence that was gathered.
  ///
  /// - Parameter id: nil for none.
  public func annotated(_ notice: Notification, evidence id: String?) -> Notification {
    let notice = annotated(notice)
    guard let id, let ownAddress, notice.annotations[Self.evidenceName] == nil else { return notice }
    var annotations = notice.annotations
    annotations[Self.evidenceName] = "\(ownAddress)/evidence/\(id)"
    return notice.annotated(annotations)
  }

  private static let linkName = "runbook_url"
  private static let evidenceName = "evidence_url"
  private static let degradedName = "degraded_mode"
}
