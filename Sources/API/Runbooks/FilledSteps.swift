import Config
import Fleet

/// Steps of a plan with their commands filled in as those of runbooks are.
public struct FilledSteps: Sendable {
  private let setting: RunbookSetting
  private let overview: WorkloadOverview
  /// Who commands log in as, and where passwords come from that no command can read by itself.
  public private(set) var remarks: [String] = []

  public init(_ config: FleetConfig, path: String, ownAddress: String, overview: WorkloadOverview) {
    setting = RunbookSetting(
      config, path: path, ownAddress: ownAddress, metricsPath: "/metrics", credentialsFolder: nil)
    self.overview = overview
  }

  /// - Parameters:
  ///   - commands: lines for a shell, with placeholders.
  ///   - instance: which server, or whose shard, they are about; nil for the workload.
  public mutating func lines(_ commands: [String], about instance: String?) -> [String] {
    let isSentinel = overview.groups.flatMap(\.members).contains {
      $0.watched.instance == instance && $0.watched.role == .sentinel
    }
    let labels = instance.map { [isSentinel ? "sentinel" : "instance": $0] } ?? [:]
    let target = RunbookTarget(labels: labels, overview, setting)
    let text = RunbookText((["```sh"] + commands + ["```"]).joined(separator: "\n"), for: target)
    for remark in text.logins where !remarks.contains(remark) { remarks.append(remark) }
    return text.lines.filter { !$0.hasPrefix("```") }
  }

  /// A text as one word of a shell; nil for what no quotes make harmless.
  public static func word(_ text: String) -> String? { ShellText.word(text) }
}
