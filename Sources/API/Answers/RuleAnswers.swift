import Alerting
import PromQL
import Runtime

/// Rules, their alerts and who gets those.
struct RuleAnswers: Sendable {
  let judging: HTTPAPI.Judging

  /// The rule groups with the state of every rule and its alerts.
  func rules(_ parameters: APIParameters, _ answer: inout APIAnswer) throws {
    let filter = try RuleFilter(parameters)
    let admitted = judging.groups().filter { state in
      filter.admits(state.group) && (state.group.rules.isEmpty || state.group.rules.contains { filter.admits($0) })
    }
    let page = try GroupPage(admitted, parameters)
    let limit = answer.limit
    try answer.data.object { json throws(APIError) in
      json.key("groups")
      try json.list(page.groups, within: limit) { write($1, filter, parameters.settings, to: &$0) }
      if let token = page.nextToken {
        json.field("groupNextToken", token)
      }
    }
  }

  /// All pending and firing alerts.
  func alerts(_ parameters: APIParameters, _ answer: inout APIAnswer) throws {
    let limit = answer.limit
    let alerts = judging.groups().flatMap(\.rules).flatMap(\.tracker.active)
    try answer.data.object { json throws(APIError) in
      json.key("alerts")
      try json.list(alerts, within: limit) { Self.write($1, to: &$0) }
    }
  }

  /// The Alertmanagers that alerts go to. None is ever dropped.
  func alertmanagers(_ parameters: APIParameters, _ answer: inout APIAnswer) throws {
    answer.data.object { json in
      json.key("activeAlertmanagers")
      json.array { json in for url in judging.alertmanagerURLs() { json.texts(["url": url]) } }
      json.key("droppedAlertmanagers")
      json.array { _ in }
    }
  }

  private func write(_ state: GroupState, _ filter: RuleFilter, _ settings: HTTPAPI.Settings, to json: inout JSONWriter)
  {
    json.object { json in
      json.field("name", state.group.name)
      json.field("file", state.group.file)
      json.key("rules")
      json.array { json in
        for (rule, ruleState) in zip(state.group.rules, state.rules) where filter.admits(rule) {
          Self.write(rule, ruleState, withAlerts: !filter.excludesAlerts, to: &json)
        }
      }
      json.field("interval", Double(state.group.intervalMilliseconds ?? settings.ruleIntervalMilliseconds) / 1000)
      json.field("limit", state.group.limit)
      json.field("evaluationTime", state.evaluationSeconds)
      json.field("lastEvaluation", atMilliseconds: state.lastEvaluationMilliseconds)
    }
  }

  private static func write(_ rule: Rule, _ state: RuleState, withAlerts: Bool, to json: inout JSONWriter) {
    json.object { json in
      if case .alerting = rule {
        json.field("state", state.tracker.state.rawValue)
      }
      json.field("name", rule.name)
      json.field("query", rule.query.description)
      switch rule {
      case .alerting(let rule):
        json.field("duration", Double(rule.forMilliseconds) / 1000)
        json.field("keepFiringFor", Double(rule.keepFiringForMilliseconds) / 1000)
        json.key("labels")
        json.texts(rule.labels.mapValues(\.text))
        json.key("annotations")
        json.texts(rule.annotations.mapValues(\.text))
        if withAlerts {
          json.key("alerts")
          json.array { json in for alert in state.tracker.active { write(alert, to: &json) } }
        }
      case .recording(let rule):
        if !rule.labels.isEmpty {
          json.key("labels")
          json.texts(rule.labels)
        }
      }
      json.field("health", state.health.rawValue)
      if let error = state.lastError {
        json.field("lastError", error)
      }
      json.field("evaluationTime", state.evaluationSeconds)
      json.field("lastEvaluation", atMilliseconds: state.lastEvaluationMilliseconds)
      json.key("type")
      if case .alerting = rule { json.string("alerting") } else { json.string("recording") }
    }
  }

  private static func write(_ alert: Alert, to json: inout JSONWriter) {
    json.object { json in
      json.key("labels")
      json.labels(alert.labels)
      json.key("annotations")
      json.texts(alert.annotations)
      json.field("state", alert.state.rawValue)
      json.field("activeAt", atMilliseconds: alert.activeAtMilliseconds)
      if let since = alert.keepFiringSinceMilliseconds {
        json.field("keepFiringSince", atMilliseconds: since)
      }
      json.field("value", GoNumber.format(alert.value, .exponent, precision: nil))
    }
  }
}
