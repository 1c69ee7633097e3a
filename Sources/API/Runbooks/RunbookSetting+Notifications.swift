import Alerting
import PromQL

extension RunbookSetting {
  /// What Alertmanagers are told beyond what the rule says: the link to a runbook of this program leads to it with its
  /// commands filled in.
  public func annotated(_ notice: Notification) -> Notification {
    var annotations = notice.annotations
    if let link = annotations[Self.linkName], let ownAddress, link.hasPrefix(ownAddress + "/runbooks/"),
      !link.contains("?"), !link.contains("#")
    {
      annotations[Self.linkName] = link + RunbookQuery.text { notice.labels[$0] }
    }
    return annotations == notice.annotations ? notice : notice.annotated(annotations)
  }

  private static let linkName = "runbook_url"
}
