import API
import Alerting
import Config
import Fleet
import Metrics
import PromQL
import Runtime

extension Daemon {
  /// The HTTP API; nil where one server is watched by flags.
  var api: HTTPAPI? {
    guard let configured else { return nil }
    let namespace = options.export.namespace
    let began = WallTime.now.epochMs
    return HTTPAPI(
      program: HTTPAPI.Program(
        version: BuildInfo.version, compiler: BuildInfo.swiftVersion, startMilliseconds: began,
        flags: options.shownFlags, metadata: HTTPAPI.Metadata.catalogue(FamilyCatalogue.all, namespace: namespace),
        giveBackMemory: Allocator.giveBackFree),
      judging: HTTPAPI.Judging(configured, startMilliseconds: began), fleet: FleetView(configured),
      events: configured.events, notifications: configured.notifications, evidence: configured.evidence,
      targets: { [fleet = configured.fleet, rules = configured.rules] in
        await fleet.members().map { HTTPAPI.Target($0, job: rules.engineOptions.job, namespace: namespace) }
      },
      runbooks: configured.runbooks, intakes: configured.intakes,
      configurationText: { configured.runningConfiguration.resolvedText }, cors: cors)
  }
}

extension FleetView {
  /// What pages and the API show of the fleet.
  init(_ configured: ConfiguredFleet) {
    self.init(configured.fleet, others: configured.others) { [engine = configured.rules.engine] in engine.groups }
  }
}

extension HTTPAPI.Judging {
  fileprivate init(_ configured: ConfiguredFleet, startMilliseconds began: Int64) {
    let (rules, engine) = (configured.rules, configured.rules.engine)
    self.init(
      store: engine.series, isOn: { rules.isOn },
      settings: {
        let options = rules.engineOptions
        return HTTPAPI.Settings(
          dialect: options.dialect, ruleIntervalMilliseconds: options.intervalMilliseconds,
          externalURL: options.externalURL)
      },
      groups: { engine.groups }, alertmanagerURLs: { [notifier = configured.notifier] in notifier.alertmanagerURLs },
      deliveries: { [notifier = configured.notifier] in notifier.deliveries },
      alertmanagerViews: { [notifier = configured.notifier] in await notifier.views() },
      heldSinceMilliseconds: { name in
        max(
          min(began, engine.historyBeginMilliseconds(of: name) ?? began),
          WallTime.now.epochMs - engine.series.policy.milliseconds(for: name))
      })
  }
}
