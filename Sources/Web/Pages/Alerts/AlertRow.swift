/// One alert among those of its name, as a line of the page of alerts.
struct AlertRow {
  let alert: AlertsPage.Alert
  /// Where it stands.
  let page: AlertsPage

  /// Labels that are said in another way.
  static let saidLabels: Set = ["instance", "workload", "severity", "environment", "role", "posture"]

  /// - Parameter isSaid: its summary is above already.
  func html(isSaid: Bool) -> HTML {
    let tags: [HTML] = alert.labels.filter { !Self.saidLabels.contains($0.name) }.prefix(12).map {
      " <span class=\"tag\">\(clipped($0.name, to: 80))=\(clipped($0.value, to: 120))</span>"
    }
    let role = alert.role.isEmpty ? alert.label("role") ?? "" : alert.role
    let roleText: HTML = role.isEmpty ? "" : " <span class=\"dim\">\(clipped(role, to: 40))</span>"
    let what: HTML =
      isSaid
      ? "" : "<p>\(alert.summary.isEmpty ? "value \(number(alert.value))" : clipped(alert.summary, to: 400))</p>\n"
    let more: HTML =
      alert.description.isEmpty ? "" : "<p class=\"dim\">\(clipped(alert.description, to: 1000))</p>\n"
    return """
      <li class="\(alert.level.style)"><p class="where">\(place)\(roleText)\(HTML.joined(tags)) \
      <span class="since">\(since)</span></p>
      \(what)\(more)\(told)\(evidence)\(kept)\(further)</li>

      """
  }

  private var place: HTML {
    guard let instance = alert.instance else {
      return alert.workload.isEmpty ? "<b>Redline</b>" : "<b>\(clipped(alert.workload, to: 120)) as a whole</b>"
    }
    let text = clipped(instance, to: 120)
    return page.nodes.contains(instance)
      ? "<b><a href=\"/node/\(pathEncoded(instance))\">\(text)</a></b>" : "<b>\(text)</b>"
  }

  /// Since when, and from when on it would fire.
  var since: HTML {
    guard alert.state == .pending else { return "since \(moment(alert.sinceSeconds, now: page.nowSeconds))" }
    let left = alert.forSeconds - (page.nowSeconds - alert.activeSeconds)
    let when: HTML = left > 0 ? "fires in \(span(left)) if it lasts" : "fires at the next evaluation if it lasts"
    return "pending since \(moment(alert.activeSeconds, now: page.nowSeconds)), \(when)"
  }

  /// Who was told, and why nobody is.
  private var told: HTML {
    guard alert.state == .firing else { return "" }
    let mutes: [HTML] = alert.delivery.mutes.prefix(5).map { "<span class=\"tag\">\(clipped($0, to: 300))</span> " }
    let notices: [HTML] = alert.delivery.notices.prefix(4).map { notice in
      notice.outcome == "accepted"
        ? "told \(clipped(notice.receiver, to: 120)) at \(clock(notice.seconds))"
        : "<span class=\"bad\">\(clipped(notice.receiver, to: 120)): \(clipped(notice.outcome, to: 200))</span>"
    }
    let routes: HTML =
      alert.delivery.routes.isEmpty || !alert.delivery.mutes.isEmpty
      ? "" : ", which tells \(clipped(alert.delivery.routes.joined(separator: ", "), to: 200))"
    let known: HTML = notices.isEmpty ? "" : HTML.joined(Array(notices.flatMap { [", ", $0] }.dropFirst()))
    guard !mutes.isEmpty || !notices.isEmpty || routes != "" else { return "" }
    let heard: HTML = notices.isEmpty && routes != "" ? "known to Alertmanager" : known
    return "<p class=\"told dim\">\(HTML.joined(mutes))\(heard)\(routes)</p>\n"
  }

  private var evidence: HTML {
    alert.delivery.evidence.map {
      "<p><a href=\"\(EvidencePage.Record.address($0))\">Evidence from the second it began</a></p>\n"
    } ?? ""
  }

  private var kept: HTML {
    alert.keptSinceSeconds.map {
      """
      <p class="dim">The expression holds no more since \(moment($0, now: page.nowSeconds)); <code>keep_firing_for</code> \
      keeps the alert.</p>

      """
    } ?? ""
  }

  private var further: HTML {
    let annotations: [HTML] = alert.annotations.prefix(10).map {
      "<div><dt>\(clipped($0.name, to: 80))</dt><dd>\(clipped($0.value, to: 400))</dd></div>\n"
    }
    let labels = alert.labels.prefix(40).map { "\(clipped($0.name, to: 80))=\(clipped($0.value, to: 120))" }
    let silence = Receiver.silenceLink(
      in: page.receivers,
      [("alertname", alert.name)]
        + alert.labels.filter { ["instance", "workload"].contains($0.name) }, "Silence this one")
    return """
      <details><summary>Value and labels</summary>
      <dl><div><dt>Value of the expression</dt><dd>\(number(alert.value))</dd></div>
      <div><dt>Labels</dt><dd>\(labels.joined(separator: ", "))</dd></div>
      \(HTML.joined(annotations))</dl>
      \(html: silence == "" ? "" : "<p>\(silence)</p>\n")</details>

      """
  }

  /// The time of day, which is enough for what is fresh.
  private func clock(_ seconds: Double) -> HTML {
    let text = utc(seconds)
    let stamp = text.replacing(" ", with: "T") + "Z"
    let shown = text.prefix(10) == utc(page.nowSeconds).prefix(10) ? String(text.suffix(8)) : text
    return "<time datetime=\"\(stamp)\">\(shown)</time>&nbsp;UTC"
  }
}
