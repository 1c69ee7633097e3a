import Alerting
import Fleet
import PromQL
import Runtime
import Web

extension Pages {
  func alerts(_ request: Request) async -> Response {
    let groups = groups()
    // Only of what is active: its text stands in the page itself.
    let active = Set(
      groups.flatMap { state in
        zip(state.group.rules, state.rules).filter { $1.tracker.state != .inactive }.map { $0.0.name }
      })
    let runbooks = await runbooks(withTextsOf: active, headingOffset: 1)
    let ownRunbooks = runbookAddress
    var page = AlertsPage(
      metricsPath: metricsPath,
      groups: groups.map {
        AlertsPage.Group($0, runbooks, ownRunbooks: ownRunbooks)
      },
      nowSeconds: WallTime.now.seconds)
    page.nodes = await fleet?.nodes() ?? []
    page.receivers = receivers
    page.filter = request.queryValue("state").flatMap { AlertsPage.Filter(rawValue: $0) }
    page.isRefreshed = request.queryValue("refresh") != nil
    if groups.isEmpty {
      page.notice = "No rules are evaluated here: name their files in redline.yml, under rules.files."
    }
    return page.response()
  }
}

extension AlertsPage.Group {
  init(_ state: GroupState, _ runbooks: Pages.Runbooks, ownRunbooks: String?) {
    let rules = zip(state.group.rules, state.rules).map { rule, state in
      var shown = AlertsPage.Rule(rule, state, ownRunbooks: ownRunbooks)
      shown.runbook = runbooks.texts[rule.name]
      shown.hasRunbook = runbooks.names.contains(rule.name)
      return shown
    }
    self.init(state.group.name, file: state.group.file, rules: rules)
    intervalSeconds = state.group.intervalMilliseconds.map { Double($0) / 1000 }
    lastEvaluationSeconds = state.lastEvaluationMilliseconds.map { Double($0) / 1000 }
    evaluationDurationSeconds = lastEvaluationSeconds == nil ? nil : state.evaluationSeconds
  }
}

extension AlertsPage.Rule {
  init(_ rule: Rule, _ state: RuleState, ownRunbooks: String?) {
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
    alerts = state.tracker.all.map { AlertsPage.Alert($0, ownRunbooks: ownRunbooks) }
  }
}

extension AlertsPage.Alert {
  /// - Parameter ownRunbooks: what the addresses of this program's runbooks begin with: those are on the page already.
  init(_ alert: Alert, ownRunbooks: String?) {
    let state: AlertsPage.State =
      switch alert.state {
      case .firing: .firing
      case .pending: .pending
      case .inactive: .inactive
      }
    self.init(
      labels: alert.labels.pairs.filter { $0.name != "alertname" }.map { ($0.name, $0.value) }, state: state,
      value: alert.value, activeSeconds: Double(alert.activeAtMilliseconds) / 1000)
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
    annotations = alert.annotations.filter { !["summary", "description", "runbook_url"].contains($0.key) }
      .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}
