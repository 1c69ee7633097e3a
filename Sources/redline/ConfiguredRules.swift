import Alerting
import Config
import Fleet
import Glibc
import Logging
import Metrics
import PromQL
import Runtime
import Storage

/// The daemon's own judgement: the engine with the rules that the configuration names.
struct ConfiguredRules: Sendable {
  let engine: RuleEngine
  private let options: Options
  private let isStored: Bool
  private let log: Logger
  /// What was loaded last: the folder of runbooks and the paths of all files.
  private let loaded = Lock(Loaded())

  private struct Loaded {
    var isOn = false
    var paths: [String] = []
    var runbooks: String?
    var options = RuleEngine.Options()
  }

  /// Stands for a path where the rules are the program's own.
  static let builtIn = "built-in"

  /// Rules and what the configuration says of their evaluation, read and found good.
  struct Rules: Sendable {
    /// Whether the configuration names rules or a history at all.
    var isOn = true
    var files: [RuleFile] = []
    var options: RuleEngine.Options
    var runbooks: String?
    var hasWatchdog = false
  }

  init(
    _ rules: Rules, options: Options, registry: Registry, storage: Store?, observer: EvaluationObserver?, log: Logger,
    alertsChanged: @escaping @Sendable ([AlertChange]) -> Void,
    deliver: @escaping @Sendable ([Notification], _ expression: String) -> Void
  ) {
    self.options = options
    self.log = log
    engine = RuleEngine(
      rules.options, registry: registry, storage: storage, observer: observer, log: log, alertsChanged: alertsChanged,
      deliver: deliver)
    isStored = storage != nil
  }

  /// Reads the rule files of a configuration.
  ///
  /// - Throws: everything that is wrong in any of them.
  static func load(_ config: FleetConfig, options: Options) throws(ConfigErrors) -> Rules {
    var engine = RuleEngine.Options()
    engine.namespace = options.export.namespace
    engine.instance = ownAddress(options.web.listenAddress)
    engine.externalURL = "http://\(engine.instance)"
    engine.retentionMilliseconds = config.history.retention?.milliseconds
    engine.sampleBytes = config.history.memoryBytes
    let exposition = Exposition(namespace: engine.namespace)
    engine.eventMetrics = Set(Family.ofEvents.map { exposition.fullName(of: $0) })
    guard let rules = config.rules else {
      return Rules(isOn: config.history.retention != nil, options: engine)
    }
    engine.intervalMilliseconds = rules.interval.milliseconds
    engine.scrapeMilliseconds = rules.scrapeInterval.milliseconds
    engine.queryOffsetMilliseconds = rules.queryOffset.milliseconds
    engine.dialect = rules.isDialect2 ? .prometheus2 : .prometheus3
    engine.externalLabels = rules.externalLabels
    if let alerting = config.alerting { engine.resendDelayMilliseconds = alerting.resendDelay.milliseconds }
    if let url = rules.externalURL { engine.externalURL = url }
    engine.job = rules.job
    if let instance = rules.instance { engine.instance = instance }
    var files: [RuleFile] = []
    var errors: [ConfigError] = []
    for path in try paths(rules, of: options.configFile ?? "") {
      do throws(ConfigErrors) {
        files.append(try RuleFile.load(path, dialect: engine.dialect, externalURL: engine.externalURL))
      } catch {
        errors += error.errors
      }
    }
    guard errors.isEmpty else { throw ConfigErrors(errors) }
    let first = files.first.map { file in file.path.split(separator: "/", omittingEmptySubsequences: false).dropLast() }
    let beside = first.map { ($0 + ["runbooks"]).joined(separator: "/") }
    return Rules(
      files: files, options: engine, runbooks: rules.runbooks ?? beside, hasWatchdog: rules.hasWatchdog)
  }

  /// The rules with the watchdog, where the configuration wants it. The folder of runbooks may be on a mount that hangs:
  /// it holds nothing up for longer than a second.
  static func withWatchdog(_ rules: Rules) async throws(ConfigErrors) -> Rules {
    guard rules.hasWatchdog else { return rules }
    var rules = rules
    let path = rules.runbooks.map { "\($0)/Watchdog.md" } ?? ""
    let hasRunbook = try? await FileWork.shared.value(
      of: path, within: .seconds(1), isRecorded: false
    ) { () throws(FileProblem) in SmallFile.bytes(path) != nil }
    rules.files.append(try watchdog(rules.options.externalURL, hasRunbook: hasRunbook ?? false))
    return rules
  }

  private static func paths(_ rules: RulesConfig, of file: String) throws(ConfigErrors) -> [String] {
    var all: [String] = []
    var errors: [ConfigError] = []
    for pattern in rules.files {
      let found = PathGlob.matches(pattern)
      if found.isEmpty {
        errors.append(
          ConfigError(
            .file(file, nil), path: "rules.files", value: pattern, problem: "matches no file",
            hint: "relative paths begin at the folder of this file"))
      }
      all += found.filter { !all.contains($0) }
    }
    guard errors.isEmpty else { throw ConfigErrors(errors) }
    return all
  }

  /// The alert that always fires: while it arrives, so would the others.
  ///
  /// - Parameter hasRunbook: whether there is one to link to.
  private static func watchdog(_ externalURL: String, hasRunbook: Bool) throws(ConfigErrors) -> RuleFile {
    let link = hasRunbook ? "\n      runbook_url: \(RuleFile.addressPlaceholder)/runbooks/Watchdog" : ""
    let text = """
      groups:
      - name: redline_watchdog
        rules:
        - alert: RedlineWatchdog
          expr: vector(1)
          labels: {severity: none}
          annotations:
            summary: redline evaluates its rules
            description: >-
              This alert always fires, whether it is delivered or not. Send it to a dead man's switch that calls when it
              stops coming.\(link)
      """
    return try RuleFile.parse(Array(text.utf8), file: builtIn, externalURL: externalURL)
  }

  /// Takes over rules: also the first ones.
  func apply(_ rules: Rules) async {
    let wasOn = isOn
    loaded.withLock {
      $0 = Loaded(
        isOn: rules.isOn, paths: rules.files.map(\.path), runbooks: rules.runbooks, options: rules.options)
    }
    await engine.apply(rules.files, options: rules.options)
    guard rules.isOn || wasOn else { return }
    if !isStored, !wasOn { log.warning("without storage.path, alerts are forgotten at each restart") }
    for remark in rules.files.flatMap(\.remarks) { log.warning("\(remark)") }
    let count = rules.files.reduce(0) { $0 + $1.ruleCount }
    log.info("rules loaded", metadata: ["files": "\(rules.files.count)", "rules": "\(count)"])
  }

  /// The files that were loaded, to look for changes in them.
  var paths: [String] { loaded.withLock { $0.paths } }
  var runbooks: String? { loaded.withLock { $0.runbooks } }
  /// Whether the configuration names rules or a history: else nothing is evaluated and no samples are taken.
  var isOn: Bool { loaded.withLock { $0.isOn } }
  /// What the configuration last said of the evaluation.
  var engineOptions: RuleEngine.Options { loaded.withLock { $0.options } }

  /// Under which others reach the daemon: what it listens on, or the name of the machine where it listens on everything.
  private static func ownAddress(_ address: ListenAddress) -> String {
    let isAny = ["", "0.0.0.0", "::"].contains(address.host)
    return ListenAddress(host: isAny ? hostName() : address.host, port: address.port).description
  }

  private static func hostName() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension Duration {
  var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
