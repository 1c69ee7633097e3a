/// Links that narrow a page to one workload.
struct WorkloadChoice {
  /// Of the page, without a query.
  let path: String
  /// The chosen one; empty for all.
  let workload: String
  let workloads: [String]

  private static let limit = 40

  /// Nothing where there is nothing to choose.
  var html: HTML {
    guard workloads.count > 1 || !workload.isEmpty else { return "" }
    var all = [""] + workloads.prefix(Self.limit)
    if !all.contains(workload) { all.append(workload) }
    let links: [HTML] = all.map { name in
      let mark: HTML = name == workload ? " aria-current=\"true\"" : ""
      let address = name.isEmpty ? path : "\(path)?workload=\(pathEncoded(name))"
      return "<li><a href=\"\(address)\"\(mark)>\(name.isEmpty ? "Any" : clipped(name, to: 60))</a></li>\n"
    }
    return """
      <nav aria-label="Workload"><ul class="filters">
      \(HTML.joined(links))</ul></nav>

      """
  }
}
