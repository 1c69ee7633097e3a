import Fleet
import Web

/// Which alerts have a runbook here, and the texts of those that are shown in place.
struct ShownRunbooks: Sendable {
  var names: Set<String> = []
  var texts: [String: String] = [:]
  var setting = RunbookSetting()
  /// How far below the page's own heading those of the texts are.
  var headingOffset = 0

  /// What to do about an alert of a workload, with its commands filled in; nil where it is not shown in place.
  func text(_ alert: WorkloadAlert, _ overview: WorkloadOverview?) -> Markdown? {
    text(alert.name, RunbookTarget(labels: alert.about, overview, setting))
  }

  func text(_ alert: String, _ target: RunbookTarget) -> Markdown? {
    texts[alert].map { Markdown(runbook: $0, for: target, headingOffset: headingOffset, names: names) }
  }
}

extension RunbookSource {
  /// - Parameters:
  ///   - alerts: whose texts are read, the first few by name.
  ///   - headingOffset: how far below the page's own heading those of the texts are.
  func shown(
    withTextsOf alerts: Set<String>, headingOffset: Int, limit: Int = .max
  ) async -> ShownRunbooks {
    let setting = setting()
    return await read(orElse: ShownRunbooks()) { library in
      let names = Set(library.names())
      let texts = alerts.intersection(names).sorted().prefix(limit).compactMap { name in
        library.text(name).map { (name, $0) }
      }
      return ShownRunbooks(
        names: names, texts: Dictionary(uniqueKeysWithValues: texts), setting: setting, headingOffset: headingOffset)
    }
  }
}
