import Runtime

extension AuditPage {
  var content: HTML {
    let hidden = workloads.count - Self.workloadLimit
    return """
      \(lead)\(WorkloadChoice(path: "/audit", workload: workload, workloads: names).html)\
      \(HTML.joined(workloads.prefix(Self.workloadLimit).map(section)))\
      \(html: hidden > 0 ? "<p class=\"dim\">\(hidden) further workloads are not listed: choose one.</p>\n" : "")\
      <p class="dim foot">\(notice) Findings of the audit never change the state of a workload. What was there at the first \
      look over a server alerts nobody; what is new does. As of \(utc(nowSeconds)) UTC.</p>

      """
  }

  /// How it stands, in a sentence.
  private var lead: HTML {
    let servers = workloads.reduce(0) { $0 + $1.lookedOverCount }
    guard servers > 0 else {
      return workloads.isEmpty
        ? ""
        : "<p class=\"lead\">No server was looked over yet: the first look is a minute after redline begins to watch.</p>\n"
    }
    let entries = workloads.flatMap(\.findings)
    func count(_ verdict: String) -> Int { entries.reduce(0) { $0 + ($1.verdict == verdict ? $1.servers.count : 0) } }
    let (critical, warnings) = (count("critical"), count("warning"))
    let counts = [
      critical > 0 ? "\(critical) critical" : nil,
      warnings > 0 ? "\(warnings) \(warnings == 1 ? "warning" : "warnings")" : nil,
    ].compactMap { $0 }
    let new = entries.reduce(0) { $0 + ($1.isKnown || $1.verdict == "info" ? 0 : $1.servers.count) }
    let unknown = workloads.flatMap(\.unknown).reduce(0) { $0 + $1.servers.count }
    let parts =
      (counts.isEmpty ? ["nothing that warns"] : counts) + (new > 0 ? ["\(new) new since the first look"] : [])
      + (unknown > 0 ? ["\(unknown) not seen"] : [])
    return """
      <p class="lead">\(servers) \(servers == 1 ? "server" : "servers"): \(parts.joined(separator: ", ")).</p>

      """
  }

  private func section(_ workload: Workload) -> HTML {
    """
    <section><h2><a href="/workload/\(pathEncoded(workload.name))">\(clipped(workload.name, to: 120))</a></h2>
    <p class="dim">\(looked(workload))</p>
    \(list(workload.findings, orElse: workload.lookedOverCount > 0 ? "Nothing is found." : ""))\
    \(apart("Not seen", workload.unknown))\(apart("Set aside", workload.asides))</section>

    """
  }

  private func looked(_ workload: Workload) -> HTML {
    guard let interval = workload.intervalSeconds else { return "Nobody looks: <code>audit.interval</code> is off." }
    let oldest: HTML =
      workload.oldestLookSeconds.map { ", the oldest look was \(moment($0, now: nowSeconds))" } ?? ""
    return """
      \(workload.lookedOverCount) of \(workload.serverCount) servers looked over\(oldest); a look at each every \(span(interval)).
      """
  }

  private func list(_ entries: [Entry], orElse nothing: String) -> HTML {
    guard !entries.isEmpty else { return nothing.isEmpty ? "" : "<p>\(nothing)</p>\n" }
    let hidden = entries.count - Self.entryLimit
    return """
      <ul class="findings">
      \(HTML.joined(entries.prefix(Self.entryLimit).map(html)))</ul>
      \(html: hidden > 0 ? "<p class=\"dim\">\(hidden) more are not listed.</p>\n" : "")
      """
  }

  private func apart(_ title: String, _ entries: [Entry]) -> HTML {
    guard !entries.isEmpty else { return "" }
    return """
      <details><summary>\(title): \(entries.count)</summary>
      \(list(entries, orElse: ""))</details>

      """
  }

  private func html(_ entry: Entry) -> HTML {
    let more = entry.servers.count - Self.serverLimit
    let servers = entry.servers.prefix(Self.serverLimit).enumerated().map { place, name -> HTML in
      "\(place > 0 ? ", " : "")<a href=\"/node/\(pathEncoded(name))\">\(clipped(name, to: 80))</a>"
    }
    let since: HTML = entry.sinceSeconds.map { " · since \(moment($0, now: nowSeconds))" } ?? ""
    let mark: HTML =
      entry.verdict == "critical" || entry.verdict == "warning"
      ? (entry.isKnown ? " · there from the first look" : " · <b>new</b>") : ""
    return """
      <li class="\(entry.level.style)"><b>\(entry.verdict)</b> \(HTML.joined(servers))\
      \(html: more > 0 ? " and \(more) more" : ""): \(clipped(entry.text, to: 600)) \
      <small>\(clipped(entry.check, to: 63))\(since)\(mark)</small></li>

      """
  }

  static let styles: HTML = """

    .findings small { color: var(--dim); display: block; } .foot { font-size: .85rem; margin-top: 1.5rem; }
    section h2 a, .findings li a { overflow-wrap: anywhere; }
    @media (max-width: 42rem) { section h2 a, .findings li a { display: inline-flex; align-items: center; min-height: 44px;
      min-width: 44px; } summary { min-height: 44px; } }
    """
}
