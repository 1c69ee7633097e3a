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
    let rules = configured.rules
    let engine = rules.engine
    let namespace = options.export.namespace
    let began = wallClockMilliseconds()
    return HTTPAPI(
      program: HTTPAPI.Program(
        version: BuildInfo.version, compiler: BuildInfo.swiftVersion, startMilliseconds: began,
        flags: options.shownFlags, metadata: HTTPAPI.Metadata.catalogue(FamilyCatalogue.all, namespace: namespace),
        giveBackMemory: Allocator.giveBackFree),
      judging: HTTPAPI.Judging(
        store: engine.series, isOn: { rules.isOn },
        settings: {
          let options = rules.engineOptions
          return HTTPAPI.Settings(
            dialect: options.dialect, ruleIntervalMilliseconds: options.intervalMilliseconds)
        },
        groups: { engine.groups }, alertmanagerURLs: { [notifier = configured.notifier] in notifier.alertmanagerURLs },
        heldSinceMilliseconds: { name in
          max(
            min(began, engine.historyBeginMilliseconds(of: name) ?? began),
            wallClockMilliseconds() - engine.series.policy.milliseconds(for: name))
        }),
      targets: { [fleet = configured.fleet] in
        await fleet.members().map { HTTPAPI.Target($0, job: rules.engineOptions.job, namespace: namespace) }
      },
      configurationText: { configured.runningConfiguration.resolvedText })
  }
}
