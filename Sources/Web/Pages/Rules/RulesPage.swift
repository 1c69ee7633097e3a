/// The page at `/rules`: every rule by file and group, with its state, how its last evaluation went, and its expression.
///
/// Everything that comes from elsewhere is escaped and cut, and the whole is bounded.
public struct RulesPage: Sendable {
  /// Which rules are shown, chosen by `?state=`.
  public enum Filter: String, Sendable, CaseIterable {
    case firing, pending, inactive
    /// Rules whose last evaluation failed.
    case broken
  }

  public struct Rule: Sendable {
    public var name: String
    public var isRecording = false
    public var expression: String
    /// In seconds.
    public var forSeconds = 0.0
    public var keepFiringForSeconds = 0.0
    /// `ok`, `err` or `unknown`.
    public var health = "unknown"
    public var lastError = ""
    public var lastEvaluationSeconds: Double?
    public var evaluationDurationSeconds: Double?
    public var state = AlertsPage.State.inactive
    /// Of the worst of its alerts.
    public var level = TopologyPage.Level.good
    public var hasRunbook = false

    public init(_ name: String, expression: String) {
      self.name = name
      self.expression = expression
    }

    var isBroken: Bool { health == "err" }
  }

  public struct Group: Sendable {
    public var name: String
    public var file: String
    public var intervalSeconds: Double?
    public var lastEvaluationSeconds: Double?
    public var evaluationDurationSeconds: Double?
    public var rules: [Rule]

    public init(_ name: String, file: String, rules: [Rule]) {
      self.name = name
      self.file = file
      self.rules = rules
    }
  }

  /// The most that is listed.
  static let ruleLimit = 1000

  public var metricsPath: String
  public var groups: [Group]
  public var filter: Filter?
  /// Seconds since the epoch.
  public var nowSeconds: Double
  /// Why there are none; empty for nothing.
  public var notice = ""

  public init(metricsPath: String, groups: [Group], nowSeconds: Double) {
    self.metricsPath = metricsPath
    self.groups = groups
    self.nowSeconds = nowSeconds
  }

  static func failing(_ count: Int) -> String { "\(count) \(count == 1 ? "rule fails" : "rules fail")" }

  public func response() -> Response {
    var layout = Layout(title: "Rules", content: content)
    layout.styles = Self.styles
    layout.navigation = Navigation(.rules, metricsPath: metricsPath)
    return layout.response()
  }

  // MARK: Content

  private var content: HTML {
    let rules = groups.flatMap(\.rules)
    guard !rules.isEmpty else {
      return "<p class=\"dim\">\(notice.isEmpty ? "No rule is loaded." : notice)</p>"
    }
    return "\(filters(rules))\(list)"
  }

  private func isShown(_ rule: Rule) -> Bool {
    switch filter {
    case nil: true
    case .firing: rule.state == .firing
    case .pending: rule.state == .pending
    case .inactive: rule.state == .inactive
    case .broken: rule.isBroken
    }
  }

  private func filters(_ rules: [Rule]) -> HTML {
    let broken = rules.count(where: \.isBroken)
    let counts: [(Filter?, String)] = [
      (nil, "All \(rules.count)"), (.firing, "\(rules.count { $0.state == .firing }) firing"),
      (.pending, "\(rules.count { $0.state == .pending }) pending"),
      (.inactive, "\(rules.count { $0.state == .inactive }) quiet"), (.broken, Self.failing(broken)),
    ]
    let links: [HTML] = counts.map { filter, text in
      let mark: HTML = filter == self.filter ? " aria-current=\"true\"" : ""
      let tone: HTML = filter == .broken && broken > 0 ? " class=\"bad\"" : ""
      let address = filter.map { "/rules?state=\($0.rawValue)" } ?? "/rules"
      return "<li><a href=\"\(address)\"\(mark)\(tone)>\(text)</a></li>\n"
    }
    return """
      <nav aria-label="By state"><ul class="filters">
      \(HTML.joined(links))</ul></nav>
      <p class="dim screen">As of \(utc(nowSeconds)) UTC. <a href="/alerts">What fires</a></p>

      """
  }

  private var list: HTML {
    var room = Self.ruleLimit
    // The first rule of a name is where links to that name lead.
    var anchors: Set<String> = []
    let parts: [HTML] = groups.compactMap { group in
      let shown = group.rules.filter(isShown)
      let listed = shown.prefix(max(0, room))
      room -= listed.count
      guard !listed.isEmpty else { return nil }
      return """
        <section class="group">
        <h2>\(clipped(group.name)) <span class="dim">\(clipped(group.file))</span></h2>
        <p class="dim">\(when(group.lastEvaluationSeconds, group.evaluationDurationSeconds))\
        \(group.intervalSeconds.map { ", every \(span($0))" } ?? "")</p>
        \(HTML.joined(listed.map { entry($0, isAnchor: anchors.insert($0.name).inserted) }))</section>

        """
    }
    guard !parts.isEmpty else {
      let none: HTML =
        switch filter {
        case .broken: "No rule fails."
        case .firing: "No rule fires."
        case .pending: "No rule is pending."
        default: "No rule is quiet."
        }
      return "<p class=\"good\">\(none)</p>"
    }
    let note: HTML = room <= 0 ? "<p class=\"dim\">Further rules are not listed.</p>\n" : ""
    return "\(HTML.joined(parts))\(note)"
  }

  private func entry(_ rule: Rule, isAnchor: Bool) -> HTML {
    let tone = rule.isBroken ? "bad" : rule.level.style
    let state = rule.isBroken ? "fails" : rule.isRecording ? "records" : rule.state.rawValue
    let link: HTML =
      !rule.hasRunbook ? "" : "<p><a href=\"/runbooks/\(pathEncoded(rule.name))\">Runbook</a></p>\n"
    let error: HTML = rule.lastError.isEmpty ? "" : "<p class=\"bad\">\(clipped(rule.lastError, to: 600))</p>\n"
    let anchor: HTML = isAnchor ? " id=\"r-\(pathEncoded(rule.name))\"" : ""
    return """
      <details\(anchor)\(html: rule.isBroken ? " open" : "")><summary><b>\(clipped(rule.name))</b> \
      <span class="state \(tone)">\(state)</span></summary>
      \(error)\(pre(rule.expression))\(facts(rule))\(link)</details>

      """
  }

  private func facts(_ rule: Rule) -> HTML {
    let waits = rule.forSeconds > 0 ? " · for \(span(rule.forSeconds))" : ""
    let keeps = rule.keepFiringForSeconds > 0 ? " · keeps firing for \(span(rule.keepFiringForSeconds))" : ""
    return """
      <p class="dim">\(rule.health) · \(when(rule.lastEvaluationSeconds, rule.evaluationDurationSeconds))\(waits)\
      \(keeps)</p>

      """
  }

  private func when(_ seconds: Double?, _ duration: Double?) -> String {
    guard let seconds else { return "not evaluated yet" }
    return "evaluated \(age(max(0, nowSeconds - seconds)))\(duration.map { " in \(fineSpan($0))" } ?? "")"
  }

  private func pre(_ text: String) -> HTML {
    "<pre tabindex=\"0\"><code>\(clipped(text, to: 4000))</code></pre>\n"
  }

  private static let styles: HTML = """

    section.group { border-top: 1px solid var(--line); margin-top: 1.4rem; } section.group p { margin: .1rem 0 .3rem; }
    section.group h2 { font-size: 1rem; margin: .6rem 0 .2rem; } section.group h2 span { font-weight: 400; }
    :target { outline: 2px solid var(--link); outline-offset: 3px; }
    """
}
