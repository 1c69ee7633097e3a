import Alerting
import Config
import Fleet
import Metrics
import PromQL
import Redis
import Runtime

extension Daemon {
  /// Prometheus' API; nil where one server is watched by flags.
  var api: PrometheusAPI? {
    guard let watch else { return nil }
    let rules = watch.rules
    let engine = rules.engine
    var api = PrometheusAPI(store: engine.series) { engine.groups }
    api.isOn = { rules.isOn }
    api.settings = {
      let options = rules.engineOptions
      var settings = PrometheusAPI.Settings(
        dialect: options.dialect, ruleIntervalMilliseconds: options.intervalMilliseconds)
      settings.options.subqueryStepMilliseconds = options.intervalMilliseconds
      return settings
    }
    api.alertmanagers = { [notifier = watch.notifier] in
      (notifier.alertmanagerURLs.map { PrometheusAPI.AlertmanagerTarget(url: $0) }, [])
    }
    let namespace = options.export.namespace
    api.targets = { [fleet = watch.fleet] in
      await fleet.members().map { PrometheusAPI.Target($0, job: rules.engineOptions.job, namespace: namespace) }
    }
    api.metadata = PrometheusAPI.Metadata.catalogue(FamilyCatalogue.all, namespace: namespace)
    let began = wallClockMilliseconds()
    api.startMilliseconds = began
    api.heldSinceMilliseconds = { name in
      max(
        min(began, engine.historyBeginMilliseconds(of: name) ?? began),
        wallClockMilliseconds() - engine.series.policy.milliseconds(for: name))
    }
    api.flags = options.shownFlags
    api.configurationText = { watch.runningConfiguration.resolvedText }
    return api
  }
}

extension PrometheusAPI.Target {
  init(_ member: FleetMember, job: String, namespace: String) {
    var labels = ["job": job, "instance": member.instance, "workload": member.workload]
    labels["environment"] = member.environment
    self.init(labels: labels, pool: member.workload, url: "\(member.address)", health: .unknown)
    intervalMilliseconds = member.pollInterval.milliseconds
    timeoutMilliseconds = member.timeout.milliseconds
    families = { [registry = member.node.registry] in
      registry.page().sources.reduce(into: []) { $0.formUnion($1.familyNames(namespace: namespace)) }
    }
    guard let newest = member.node.poller.newest else { return }
    switch newest.state {
    case .unknown: break
    case .up, .loading: health = .up
    case .failed(let error):
      health = .down
      lastError = error.message
    }
    lastScrapeMilliseconds = Int64(clamping: newest.endedSeconds * 1000)
    lastScrapeSeconds = newest.durationSeconds
  }
}
