extension AlertsPage {
  var content: HTML { "\(Receiver.banner(receivers, now: nowSeconds))\(ruleContent)" }

  private var ruleContent: HTML {
    let rules = groups.flatMap(\.rules)
    guard !rules.isEmpty else {
      return "<p class=\"dim\">\(notice.isEmpty ? "No rule is loaded." : notice)</p>"
    }
    var room = Self.alertLimit
    let active = rules.filter { !$0.isRecording && $0.state != .inactive && isShown($0) }
      .enumerated().sorted { left, right in
        let (a, b) = (rank(left.element), rank(right.element))
        return (a.0, a.1, left.offset) < (b.0, b.1, right.offset)
      }.map(\.element)
    let sections = active.map { section($0, &room) }
    return """
      \(html: notice.isEmpty ? "" : "<p class=\"warning\">\(notice)</p>\n")\(filters(rules))\
      \(HTML.joined(sections))\
      \(html: active.isEmpty && filter != .inactive && filter != .broken ? "<p class=\"good\">Nothing \(quiet).</p>\n" : "")\
      \(html: room <= 0 ? "<p class=\"dim\">Further alerts are not listed.</p>\n" : "")\
      \(filter == .firing || filter == .pending ? "" : list)
      """
  }

  private var quiet: String {
    switch filter {
    case .firing: "fires"
    case .pending: "is pending"
    default: "fires or is pending"
    }
  }

  /// Firing first, the gravest of them before all.
  private func rank(_ rule: Rule) -> (Int, Int) {
    let level = rule.alerts.map(\.level).max() ?? .good
    return (rule.state == .firing ? 0 : 1, -level.rawValue)
  }

  private func isShown(_ rule: Rule) -> Bool {
    switch filter {
    case nil: true
    case .firing: rule.alerts.contains { $0.state == .firing }
    case .pending: rule.alerts.contains { $0.state == .pending }
    case .inactive: rule.state == .inactive
    case .broken: rule.isBroken
    }
  }

  private func isShown(_ alert: Alert) -> Bool {
    switch filter {
    case .firing: alert.state == .firing
    case .pending: alert.state == .pending
    default: true
    }
  }

  // MARK: Filters

  private func filters(_ rules: [Rule]) -> HTML {
    let summary = Summary(groups)
    let counts: [(Filter?, String)] = [
      (nil, "All"), (.firing, "\(summary.firing) firing"), (.pending, "\(summary.pending) pending"),
      (.inactive, "\(rules.count { $0.state == .inactive }) rules quiet"), (.broken, Summary.failing(summary.broken)),
    ]
    let links: [HTML] = counts.map { filter, text in
      let mark: HTML = filter == self.filter ? " aria-current=\"true\"" : ""
      let tone: HTML =
        switch filter {
        case .firing where summary.firing > 0: " class=\"bad\""
        case .pending where summary.pending > 0: " class=\"warning\""
        case .broken where summary.broken > 0: " class=\"bad\""
        default: ""
        }
      return "<li><a href=\"\(address(filter, isRefreshed))\"\(mark)\(tone)>\(text)</a></li>\n"
    }
    let refresh: HTML =
      isRefreshed
      ? "Reloads every \(Self.refreshSeconds) s. <a href=\"\(address(filter, false))\">Stop</a>"
      : "<a href=\"\(address(filter, true))\">Reload every \(Self.refreshSeconds) s</a>"
    return """
      <nav aria-label="By state"><ul class="filters">
      \(HTML.joined(links))</ul></nav>
      <p class="dim screen">As of \(utc(nowSeconds)) UTC. \(refresh) · <a href="/notifications">Who was told what</a></p>

      """
  }

  private func address(_ filter: Filter?, _ isRefreshed: Bool) -> String {
    let items = [
      filter.map { "state=\($0.rawValue)" }, isRefreshed ? "refresh=\(Self.refreshSeconds)" : nil,
    ].compactMap { $0 }
    return "/alerts" + (items.isEmpty ? "" : "?\(items.joined(separator: "&"))")
  }

  // MARK: Alerts

  private func section(_ rule: Rule, _ room: inout Int) -> HTML {
    let shown = rule.alerts.filter(isShown).enumerated().sorted {
      ($0.element.state, -$0.element.level.rawValue, $0.element.activeSeconds, $0.offset)
        < ($1.element.state, -$1.element.level.rawValue, $1.element.activeSeconds, $1.offset)
    }.map(\.element)
    let listed = shown.prefix(max(0, min(room, Self.alertsOfRuleLimit)))
    room -= listed.count
    guard !listed.isEmpty else { return "" }
    let hidden = shown.count - listed.count
    let level = rule.alerts.map(\.level).max() ?? .note
    let runbook: HTML =
      rule.runbook.map { text in
        """
        <details class="runbook"><summary>Runbook: what to do</summary>
        <div class="markdown">\(text.html)</div>
        <p><a href="/runbooks/\(pathEncoded(rule.name))">On a page of its own</a></p></details>

        """
      } ?? ""
    let expression: HTML =
      "<details><summary>Rule</summary>\n\(pre(rule.expression))\(facts(rule))</details>\n"
    return """
      <section class="\(level.style)">
      <h2>\(clipped(rule.name)) <span class="state">\(rule.state.rawValue)</span>\(broken(rule))</h2>
      \(HTML.joined(listed.map { article($0) }))\
      \(html: hidden > 0 ? "<p class=\"dim\">\(hidden) further alerts of this rule are not listed.</p>\n" : "")\
      \(runbook)\(expression)</section>

      """
  }

  func article(_ alert: Alert, title: HTML = "") -> HTML {
    let labels: [HTML] = alert.labels.prefix(40).map { label in
      let name = clipped(label.name, to: 80)
      if label.name == "instance", nodes.contains(label.value) {
        return """
          <li class="tag"><a href="/node/\(pathEncoded(label.value))">\(name)=\(clipped(label.value, to: 120))</a></li>

          """
      }
      return "<li class=\"tag\">\(name)=\(clipped(label.value, to: 120))</li>\n"
    }
    let annotations: [HTML] = alert.annotations.prefix(10).map {
      "<div><dt>\(clipped($0.name, to: 80))</dt><dd>\(clipped($0.value, to: 400))</dd></div>\n"
    }
    let runbook: HTML =
      alert.runbookAddress.map { "<div><dt>Runbook</dt><dd>\(outwardLink($0))</dd></div>\n" } ?? ""
    let heading = alert.summary.isEmpty ? alert.state.rawValue : alert.summary
    return """
      <article class="card \(alert.level.style)">
      \(title)<h3><span class="state">\(alert.state.rawValue)</span> \(clipped(heading, to: 400))</h3>
      \(html: alert.description.isEmpty ? "" : "<p>\(clipped(alert.description, to: 1000))</p>\n")\
      <ul class="labels">
      \(HTML.joined(labels))</ul>
      <dl>
      <div><dt>Active since</dt><dd>\(moment(alert.activeSeconds, now: nowSeconds))</dd></div>
      <div><dt>Value</dt><dd>\(number(alert.value))</dd></div>
      \(times(alert))\(runbook)\(HTML.joined(annotations))</dl>
      </article>

      """
  }

  private func times(_ alert: Alert) -> HTML {
    let fired: HTML =
      alert.firedSeconds.map { "<div><dt>Fires since</dt><dd>\(moment($0, now: nowSeconds))</dd></div>\n" } ?? ""
    let resolved: HTML =
      alert.resolvedSeconds.map { "<div><dt>Ended</dt><dd>\(moment($0, now: nowSeconds))</dd></div>\n" } ?? ""
    let kept: HTML =
      alert.keptSinceSeconds.map {
        """
        <div><dt>Kept firing</dt><dd>The expression holds no more since \(moment($0, now: nowSeconds)); \
        <code>keep_firing_for</code> keeps the alert.</dd></div>

        """
      } ?? ""
    return "\(fired)\(resolved)\(kept)"
  }

  // MARK: Rules

  private var list: HTML {
    var room = Self.ruleLimit
    let parts: [HTML] = groups.compactMap { group in
      let shown = group.rules.filter(isShown)
      let listed = shown.prefix(max(0, room))
      room -= listed.count
      guard !listed.isEmpty else { return nil }
      return """
        <section class="group">
        <h3>\(clipped(group.name)) <span class="dim">\(clipped(group.file))</span></h3>
        <p class="dim">\(when(group.lastEvaluationSeconds, group.evaluationDurationSeconds))\
        \(group.intervalSeconds.map { ", every \(span($0))" } ?? "")</p>
        \(HTML.joined(listed.map(entry)))</section>

        """
    }
    guard !parts.isEmpty else {
      return "<p class=\"good\">\(filter == .broken ? "No rule fails." : "No rule is quiet.")</p>"
    }
    let note: HTML = room <= 0 ? "<p class=\"dim\">Further rules are not listed.</p>\n" : ""
    return "<h2>Rules</h2>\n\(HTML.joined(parts))\(note)"
  }

  private func entry(_ rule: Rule) -> HTML {
    let tone = rule.isBroken ? "bad" : (rule.alerts.map(\.level).max() ?? .good).style
    let state =
      rule.isRecording ? (rule.isBroken ? "fails" : "records") : (rule.isBroken ? "fails" : rule.state.rawValue)
    let link: HTML =
      !rule.hasRunbook ? "" : "<p><a href=\"/runbooks/\(pathEncoded(rule.name))\">Runbook</a></p>\n"
    let error: HTML = rule.lastError.isEmpty ? "" : "<p class=\"bad\">\(clipped(rule.lastError, to: 600))</p>\n"
    return """
      <details\(rule.isBroken ? " open" : "")><summary><b>\(clipped(rule.name))</b> \
      <span class="state \(tone)">\(state)</span></summary>
      \(error)\(pre(rule.expression))\(facts(rule))\(link)</details>

      """
  }

  private func broken(_ rule: Rule) -> HTML {
    guard rule.isBroken else { return "" }
    return " <span class=\"tag bad\">last evaluation failed</span>"
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
}
