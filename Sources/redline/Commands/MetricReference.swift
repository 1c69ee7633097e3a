import Metrics

/// The reference of metrics: what the catalogue holds, by what it comes from.
enum MetricReference {
  static var text: String {
    (["# Metric reference", "", introduction] + FamilyCatalogue.groups.flatMap(section)).joined(separator: "\n")
  }

  private static let introduction = """
    Every family that redline exports, as `redline reference metrics` prints it from the code that exports it; \
    `redline families --help-texts` is the same for programs. `redis` is what `--namespace` says. Beside the labels \
    below, histograms have `le` and summaries `quantile`, and series of a fleet's members carry `workload`, `instance` \
    and, where given, `environment`. What a meaning has in brackets is the field or command that it comes from; what a \
    server does not send is absent. A field of INFO whose name begins with `cluster_` and that is not listed is exported \
    as a gauge of that name.
    """

  private static func section(_ group: FamilyGroup) -> [String] {
    let exposition = Exposition()
    let hasFlags = group.entries.contains { !$0.flag.isEmpty }
    let hasVersions = group.entries.contains { !$0.since.isEmpty }
    var heads = ["metric", "type", "labels", "meaning"]
    if hasVersions { heads.append("since") }
    if hasFlags { heads.append("only with") }
    let rows = group.entries.map { entry in
      let family = entry.family
      var cells = [
        "`\(exposition.fullName(of: family))`", family.type.rawValue,
        family.labelNames.map { "`\($0)`" }.joined(separator: ", "), family.help,
      ]
      if hasVersions { cells.append(entry.since) }
      if hasFlags { cells.append(entry.flag) }
      return row(cells)
    }
    return ["", "## \(group.title)", "", group.condition, "", row(heads), row(heads.map { _ in "---" })] + rows
  }

  private static func row(_ cells: [String]) -> String {
    "| \(cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ")) |"
  }
}
