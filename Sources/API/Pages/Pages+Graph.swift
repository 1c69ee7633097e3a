import Alerting
import PromQL
import Runtime
import Web

extension Pages {
  /// `/graph?g0.expr=…`: what Prometheus' links of alerts name.
  func graph(_ request: Request) async -> Response {
    let expressions = (0..<GraphPage.panelLimit).compactMap { request.queryValue("g\($0).expr") }.filter { !$0.isEmpty }
    let groups = groups()
    let runbooks = expressions.isEmpty ? [] : await runbookNames()
    var panels: [GraphPage.Panel] = []
    for expression in expressions {
      let rules = Self.rules(of: expression, in: groups, runbooks: runbooks)
      panels.append(GraphPage.Panel(expression, await result(of: expression), rules: rules))
    }
    return GraphPage(metricsPath: metricsPath, panels: panels, nowSeconds: WallTime.now.seconds).response()
  }

  /// The rules with that expression, as written or as links have it.
  private static func rules(
    of expression: String, in groups: [GroupState], runbooks: Set<String>
  ) -> [GraphPage.Rule] {
    groups.flatMap { state in
      zip(state.group.rules, state.rules).compactMap { rule, ruleState -> GraphPage.Rule? in
        guard rule.query.text == expression || rule.query.description == expression else { return nil }
        let isAlert = if case .alerting = rule { true } else { false }
        return GraphPage.Rule(
          name: rule.name, group: state.group.name, file: state.group.file,
          state: isAlert ? ruleState.tracker.state.rawValue : "", hasRunbook: isAlert && runbooks.contains(rule.name))
      }
    }
  }

  private func result(of expression: String) async -> GraphPage.Result {
    guard let api, api.judging.isOn() else {
      return .problem("No rules are evaluated here and no history is kept: nothing can be asked.")
    }
    do {
      return .samples(try await api.samples(of: expression))
    } catch {
      return .problem(APIError(error).message)
    }
  }
}

extension HTTPAPI {
  /// What an expression gives now, within the limits and on the threads of the API's queries.
  func samples(of expression: String) async throws -> [GraphPage.Sample] {
    let settings = judging.settings()
    let deadline = ContinuousClock.now + .seconds(limits.seconds)
    return try await gate.run(until: deadline) {
      var options = settings.options
      options.limits.samples = min(options.limits.samples, limits.samples)
      options.limits.seconds = max(0, (deadline - .now) / .seconds(1))
      options.reservation = QueryReservation(memory)
      let query: Query
      do throws(QuerySyntaxError) { query = try Query(expression, dialect: settings.dialect) } catch {
        throw APIError(.badData, "\(error.line):\(error.column): parse error: \(error.message)")
      }
      return try query.value(atMilliseconds: nowMilliseconds(), in: judging.store, options: options).value.shown
    }
  }
}

extension QueryValue {
  /// As a page lists it, one more than it shows where there are more.
  fileprivate var shown: [GraphPage.Sample] {
    func text(_ value: Double) -> String { GoNumber.format(value, .fixed, precision: nil) }
    switch self {
    case .scalar(let value): return [GraphPage.Sample(series: "scalar", value: text(value))]
    case .string(let value): return [GraphPage.Sample(series: "string", value: value)]
    case .vector(let samples):
      return samples.map { GraphPage.Sample(series: "\($0.labels)", value: text($0.value)) }
    case .matrix(let series):
      return series.map { series in
        let newest = series.samples.last { !$0.isStale }.map { text($0.value) } ?? ""
        return GraphPage.Sample(
          series: "\(series.labels)", value: "\(series.samples.count) samples, the newest \(newest)")
      }
    }
  }
}
