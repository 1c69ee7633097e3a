import Alerting
import PromQL

extension HTTPAPI {
  /// The rule groups with the state of every rule and its alerts.
  func rules(_ parameters: APIParameters, _ answer: inout APIAnswer) throws {
    let filter = try RuleFilter(parameters)
    let admitted = judging.groups().filter { state in
      filter.admits(state.group) && (state.group.rules.isEmpty || state.group.rules.contains { filter.admits($0) })
    }
    let page = try GroupPage(admitted, parameters)
    try answer.data.object { json throws(APIError) in
      json.key("groups")
      try json.array { json throws(APIError) in
        for state in page.groups {
          write(state, filter, parameters.settings, to: &json)
          try json.checkSize()
        }
      }
      if let token = page.nextToken {
        json.key("groupNextToken")
        json.string(token)
      }
    }
  }

  /// All pending and firing alerts.
  func alerts(_ parameters: APIParameters, _ answer: inout APIAnswer) throws {
    try answer.data.object { json throws(APIError) in
      json.key("alerts")
      try json.array { json throws(APIError) in
        for alert in judging.groups().flatMap(\.rules).flatMap(\.tracker.active) {
          Self.write(alert, to: &json)
          try json.checkSize()
        }
      }
    }
  }

  private func write(_ state: GroupState, _ filter: RuleFilter, _ settings: Settings, to json: inout JSONWriter) {
    json.object { json in
      json.key("name")
      json.string(state.group.name)
      json.key("file")
      json.string(state.group.file)
      json.key("rules")
      json.array { json in
        for (rule, ruleState) in zip(state.group.rules, state.rules) where filter.admits(rule) {
          Self.write(rule, ruleState, withAlerts: !filter.excludesAlerts, to: &json)
        }
      }
      json.key("interval")
      json.number(Double(state.group.intervalMilliseconds ?? settings.ruleIntervalMilliseconds) / 1000)
      json.key("limit")
      json.integer(state.group.limit)
      json.key("evaluationTime")
      json.number(state.evaluationSeconds)
      json.key("lastEvaluation")
      json.string(RFC3339.text(milliseconds: state.lastEvaluationMilliseconds))
    }
  }

  private static func write(_ rule: Rule, _ state: RuleState, withAlerts: Bool, to json: inout JSONWriter) {
    json.object { json in
      if case .alerting = rule {
        json.key("state")
        json.string(state.tracker.state.rawValue)
      }
      json.key("name")
      json.string(rule.name)
      json.key("query")
      json.string(rule.query.description)
      switch rule {
      case .alerting(let rule):
        json.key("duration")
        json.number(Double(rule.forMilliseconds) / 1000)
        json.key("keepFiringFor")
        json.number(Double(rule.keepFiringForMilliseconds) / 1000)
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
      json.key("health")
      json.string(state.health.rawValue)
      if let error = state.lastError {
        json.key("lastError")
        json.string(error)
      }
      json.key("evaluationTime")
      json.number(state.evaluationSeconds)
      json.key("lastEvaluation")
      json.string(RFC3339.text(milliseconds: state.lastEvaluationMilliseconds))
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
      json.key("state")
      json.string(alert.state.rawValue)
      json.key("activeAt")
      json.string(RFC3339.text(milliseconds: alert.activeAtMilliseconds))
      if let since = alert.keepFiringSinceMilliseconds {
        json.key("keepFiringSince")
        json.string(RFC3339.text(milliseconds: since))
      }
      json.key("value")
      json.string(GoNumber.format(alert.value, .exponent, precision: nil))
    }
  }
}
