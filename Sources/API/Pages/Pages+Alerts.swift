import Alerting
import Config
import Fleet
import PromQL
import Runtime
import Storage
import Web

extension Pages {
  func alerts(_ request: Request) async -> Response {
    let wanted = request.queryValue("state")
    // Rules had their place here once.
    if let wanted, AlertsPage.Filter.ofRules.contains(wanted) { return await rules(request) }
    let groups = groups()
    let ownRunbooks = runbookAddress
    var alerts = groups.flatMap { AlertsPage.Alert.all(of: $0, ownRunbooks: ownRunbooks) }
    let roles = await fleet?.roles() ?? [:]
    for index in alerts.indices { alerts[index].role = alerts[index].instance.flatMap { roles[$0] } ?? "" }
    for index in alerts.indices {
      let (name, pairs) = (alerts[index].name, alerts[index].labels)
      let labels = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
      alerts[index].delivery.evidence = evidence?.id(of: EvidenceAlert(name: name, labels: labels))
    }
    await api?.notifications?.addNotices(to: &alerts)
    let views = await api?.judging.alertmanagerViews() ?? []
    for index in alerts.indices where alerts[index].state == .firing { alerts[index].take(views) }
    var page = AlertsPage(metricsPath: metricsPath, alerts: alerts, nowSeconds: WallTime.now.seconds)
    page.elsewhere = await others.alerts()
    page.nodes = Set(roles.keys)
    page.workloads = Set(await fleet?.names() ?? [])
    let active = Set(alerts.filter { $0.state != .inactive }.map(\.name))
    let runbooks = await runbookSource.shown(withTextsOf: active, headingOffset: 2, limit: AlertsPage.runbookLimit)
    page.runbookNames = runbooks.names
    page.runbooks = await texts(of: groups, runbooks)
    page.receivers = receivers
    page.unknownMutes = views.filter { $0.entries == nil }.map { ($0.alertmanager, $0.problem) }
    page.brokenRuleCount = groups.flatMap(\.rules).count { $0.health == .bad }
    page.filter = wanted.flatMap { AlertsPage.Filter(rawValue: $0) }
    if groups.isEmpty { page.notice = Self.noRules }
    return page.response()
  }

  /// A runbook for each workload and alert that fires or waits to, about the worst.
  private func texts(of groups: [GroupState], _ runbooks: ShownRunbooks) async -> [String: Markdown] {
    let active = groups.flatMap(\.rules).flatMap(\.tracker.active).map { WorkloadAlert($0) }
      .filter { runbooks.texts[$0.name] != nil }.sorted { ($1.health, $0.since) < ($0.health, $1.since) }
    var shown: Set<[String]> = []
    var texts: [String: Markdown] = [:]
    for alert in active where shown.insert([alert.name, alert.about["workload"] ?? ""]).inserted {
      guard texts.count < AlertsPage.runbookLimit else { break }
      let target = await runbookSource.target(alert.about, in: fleet)
      texts[alert.name + RunbookQuery.text { alert.about[$0] }] = runbooks.text(alert.name, target)
    }
    return texts
  }

  func rules(_ request: Request) async -> Response {
    let runbooks = await runbookNames()
    let groups = groups().map { RulesPage.Group($0, runbooks) }
    var page = RulesPage(metricsPath: metricsPath, groups: groups, nowSeconds: WallTime.now.seconds)
    page.filter = request.queryValue("state").flatMap { RulesPage.Filter(rawValue: $0) }
    if groups.isEmpty { page.notice = Self.noRules }
    return page.response()
  }

  private static let noRules =
    "No rules are evaluated here: name their files in redline.yml, under rules.files."
}

extension NotificationStore {
  /// The newest notice of each alert that every Alertmanager was sent.
  fileprivate func addNotices(to alerts: inout [AlertsPage.Alert]) async {
    let firing = alerts.filter { $0.state == .firing }.compactMap(\.firedSeconds)
    guard let first = firing.min() else { return }
    let since = Int64(clamping: ((first - 1) * 1000).rounded(.down))
    let told = await newest(NotificationQuery(state: "firing", sinceMs: since, limit: 2000))
    let byName = Dictionary(grouping: told, by: \.alertname)
    for index in alerts.indices where alerts[index].state == .firing {
      alerts[index].take(byName[alerts[index].name] ?? [])
    }
  }
}

extension AlertsPage.Alert {
  static func all(of group: GroupState, ownRunbooks: String?) -> [AlertsPage.Alert] {
    zip(group.group.rules, group.rules).flatMap { rule, state in
      state.tracker.all.map { alert in
        var shown = AlertsPage.Alert(rule.name, alert, ownRunbooks: ownRunbooks)
        if case .alerting(let rule) = rule { shown.forSeconds = Double(rule.forMilliseconds) / 1000 }
        return shown
      }
    }
  }

  /// - Parameters:
  ///   - name: of its rule.
  ///   - ownRunbooks: what the addresses of this program's runbooks begin with: those are on the page already.
  private init(_ name: String, _ alert: Alert, ownRunbooks: String?) {
    self.init(
      name, labels: alert.labels.pairs.filter { $0.name != "alertname" }.map { ($0.name, $0.value) },
      state: AlertsPage.State(alert.state), value: alert.value,
      activeSeconds: Double(alert.activeAtMilliseconds) / 1000)
    firedSeconds = alert.firedAtMilliseconds.map { Double($0) / 1000 }
    resolvedSeconds = alert.resolvedAtMilliseconds.map { Double($0) / 1000 }
    keptSinceSeconds = state == .firing ? alert.keepFiringSinceMilliseconds.map { Double($0) / 1000 } : nil
    summary = alert.annotations["summary"] ?? ""
    description = alert.annotations["description"] ?? ""
    if let address = alert.annotations["runbook_url"], !address.isEmpty,
      !(ownRunbooks.map { address.hasPrefix($0) } ?? false)
    {
      runbookAddress = address
    }
    runbookQuery = RunbookQuery.text { alert.labels[$0] }
    annotations = alert.annotations.filter { !["summary", "description", "runbook_url"].contains($0.key) }
      .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// - Parameter told: of alerts of this name, the newest first.
  fileprivate mutating func take(_ told: [StoredNotification]) {
    for one in told {
      guard firedSeconds.map({ abs($0 * 1000 - Double(one.startsAtMs)) < 1 }) ?? false,
        !delivery.notices.contains(where: { $0.receiver == one.alertmanager })
      else { continue }
      // Labels may have been added on the way, and others taken away; none that is left says otherwise.
      let labels = Dictionary(one.labelPairs.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
      guard self.labels.allSatisfy({ labels[$0.name] == nil || labels[$0.name] == $0.value }) else { continue }
      delivery.notices.append(
        AlertsPage.Notice(receiver: one.alertmanager, seconds: Double(one.atMs) / 1000, outcome: one.outcome))
    }
  }

  fileprivate mutating func take(_ views: [AlertmanagerView]) {
    let wanted = [(name: "alertname", value: name)] + labels
    for entry in views.compactMap({ $0.entry(of: wanted) }) {
      delivery.mutes += entry.mutes.map(\.words).filter { !delivery.mutes.contains($0) }
      delivery.routes += entry.receivers.filter { !delivery.routes.contains($0) }
    }
  }
}

extension AlertmanagerView.Mute {
  /// `silenced by anna until 04:00 UTC: deploy`.
  fileprivate var words: String {
    switch self {
    case .silence(let author, let comment, let until):
      let end = RFC3339.milliseconds(until).map { " until \(Timestamp(epochMs: $0 / 60_000 * 60_000).minute)" } ?? ""
      return "silenced\(author.isEmpty ? "" : " by \(author)")\(end)\(comment.isEmpty ? "" : ": \(comment)")"
    case .inhibition(let name): return "inhibited by \(name.isEmpty ? "another alert" : name)"
    case .interval(let name): return "muted by the time interval \(name)"
    }
  }
}

extension Timestamp {
  /// `2026-11-28 03:44 UTC`.
  fileprivate var minute: String {
    "\(description.prefix(16).replacing("T", with: " ")) UTC"
  }
}

extension AlertsPage.State {
  init(_ state: AlertState) {
    self =
      switch state {
      case .firing: .firing
      case .pending: .pending
      case .inactive: .inactive
      }
  }
}

extension RulesPage.Group {
  init(_ state: GroupState, _ runbooks: Set<String>) {
    let rules = zip(state.group.rules, state.rules).map { rule, state in
      var shown = RulesPage.Rule(rule, state)
      shown.hasRunbook = runbooks.contains(rule.name)
      return shown
    }
    self.init(state.group.name, file: state.group.file, rules: rules)
    intervalSeconds = state.group.intervalMilliseconds.map { Double($0) / 1000 }
    lastEvaluationSeconds = state.lastEvaluationMilliseconds.map { Double($0) / 1000 }
    evaluationDurationSeconds = lastEvaluationSeconds == nil ? nil : state.evaluationSeconds
  }
}

extension RulesPage.Rule {
  init(_ rule: Rule, _ state: RuleState) {
    self.init(rule.name, expression: rule.query.text)
    switch rule {
    case .recording: isRecording = true
    case .alerting(let rule):
      forSeconds = Double(rule.forMilliseconds) / 1000
      keepFiringForSeconds = Double(rule.keepFiringForMilliseconds) / 1000
    }
    health = state.health.rawValue
    lastError = state.lastError ?? ""
    lastEvaluationSeconds = state.lastEvaluationMilliseconds.map { Double($0) / 1000 }
    evaluationDurationSeconds = lastEvaluationSeconds == nil ? nil : state.evaluationSeconds
    self.state = AlertsPage.State(state.tracker.state)
    level = TopologyPage.Level(state.tracker.active.compactMap { WorkloadAlert($0).health }.max())
  }
}

extension TopologyPage.Level {
  /// Of the gravest alert of a rule; nil for none.
  fileprivate init(_ health: Health?) {
    self =
      switch health {
      case nil: .good
      case .critical: .grave
      case .degraded: .warning
      case .healthy, .unknown: .note
      }
  }
}
