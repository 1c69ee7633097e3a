import Alerting
import Config
import Fleet
import Logging
import Metrics
import PromQL
import Runtime

/// The flight recorder that the configuration asks for.
struct ConfiguredRecorder: Sendable {
  let recorder: FlightRecorder
  /// Another text for each start of the daemon.
  private let run = String(UInt64.random(in: .min ... .max), radix: 16)

  /// Behind `storage.path`, where the configuration names no folder.
  static let suffix = ".recording"

  /// - Parameter shard: has a folder of its own within the one that the shared configuration names.
  /// - Returns: nil where nothing is recorded.
  init?(_ config: RecorderConfig?, shard: Shard?, storagePath: String?, log: Logger) {
    guard let config else { return nil }
    let named = config.path.map { path in shard.map { "\(path)/shard-\($0.index)" } ?? path }
    guard let folder = named ?? storagePath.map({ $0 + Self.suffix }) else {
      log.warning("nothing is recorded: recorder needs a path, or --storage.path")
      return nil
    }
    recorder = FlightRecorder(
      FlightRecorder.Options(
        folder: folder, keepSeconds: Double(config.keep.milliseconds) / 1000, sizeBytes: config.sizeBytes), log: log)
    log.info("flight recorder", metadata: ["folder": "\(folder)"])
  }

  /// Tells the recorder of pages that rules read and of evaluations.
  var observer: EvaluationObserver {
    let recorder = recorder
    return EvaluationObserver(
      page: { page, values, time in recorder.note(page, values, atMilliseconds: time) },
      evaluation: { group, time, places in
        recorder.note(RecordedEvaluation(file: group.file, group: group.name, timeMilliseconds: time, places: places))
      }, shift: { recorder.note(shiftMilliseconds: $0) })
  }

  /// Takes over a configuration with its rules.
  func apply(_ loaded: ConfiguredFleet.Loaded, engine: RuleEngine) {
    let (rules, config) = (loaded.rules, loaded.config)
    let options = rules.options
    let fixed =
      [
        FlightRecorder.Text(name: RecordedTexts.version, bytes: Array(BuildInfo.version.utf8)),
        FlightRecorder.Text(name: RecordedTexts.run, bytes: Array(run.utf8)),
        FlightRecorder.Text(name: RecordedTexts.configuration, bytes: Array(config.recordedText.utf8)),
        FlightRecorder.Text(name: RecordedTexts.options, bytes: RecordedTexts.bytes(of: options)),
      ]
      + rules.files.map { FlightRecorder.Text(name: RecordedTexts.rules + $0.path, bytes: $0.text) }
    let labelNames =
      config.workloads.flatMap { Array($0.labels.keys) } + Array(options.externalLabels.keys)
      + rules.files.flatMap(\.groups).flatMap(\.rules).flatMap { Array($0.labels.keys) }
    let values = config.workloads.flatMap { $0.watches.texts + $0.aliases.values }
    recorder.apply(
      FlightRecorder.Surroundings(
        texts: { labels in
          fixed + [
            FlightRecorder.Text(
              name: RecordedTexts.alerts, bytes: RecordedTexts.bytes(of: engine.groups) { labels.value($0, of: $1) })
          ]
        },
        families: FamilySelection(namespace: options.namespace, where: RuleFile.reader(of: rules.files, options)),
        namespace: options.namespace, areEdgesFloats: options.dialect == .prometheus3, labelNames: Set(labelNames),
        values: Set(values)))
  }
}

/// The texts that each segment of a recording begins with.
enum RecordedTexts {
  static let version = "version"
  static let run = "run"
  static let configuration = "configuration"
  static let options = "evaluation"
  static let alerts = "alerts"
  /// Before the path of a rule file.
  static let rules = "rules "

  // MARK: How rules were evaluated

  static func bytes(of options: RuleEngine.Options) -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.field("intervalMilliseconds", options.intervalMilliseconds)
      json.field("queryOffsetMilliseconds", options.queryOffsetMilliseconds)
      json.field("isDialect2", options.dialect == .prometheus2)
      json.key("externalLabels")
      json.texts(options.externalLabels)
      json.field("externalURL", options.externalURL)
      json.field("job", options.job)
      json.field("instance", options.instance)
      json.field("namespace", options.namespace)
    }
    return json.bytes
  }

  /// - Returns: nil for what is no such text.
  static func options(_ bytes: [UInt8]) -> RuleEngine.Options? {
    guard let json = try? JSONReader.value(bytes) else { return nil }
    func text(_ name: String) -> String? { json[name]?.string }
    func milliseconds(_ name: String) -> Int64? { json[name]?.number.map { Int64(clamping: $0) } }
    var options = RuleEngine.Options()
    guard let interval = milliseconds("intervalMilliseconds"), (1000...86_400_000).contains(interval),
      let offset = milliseconds("queryOffsetMilliseconds"), let job = text("job"), let instance = text("instance"),
      let namespace = text("namespace"), let url = text("externalURL")
    else { return nil }
    options.intervalMilliseconds = interval
    options.queryOffsetMilliseconds = offset
    options.dialect = json["isDialect2"] == .boolean(true) ? .prometheus2 : .prometheus3
    for member in json["externalLabels"]?.members ?? [] { options.externalLabels[member.name] = member.value.string }
    (options.job, options.instance, options.namespace, options.externalURL) = (job, instance, namespace, url)
    return options
  }

  // MARK: Alerts that were there when a segment began

  static func bytes(of groups: [GroupState], value: (String, String) -> String) -> [UInt8] {
    var json = JSONWriter()
    json.array { json in
      for state in groups {
        for (place, rule) in state.rules.enumerated() {
          for alert in rule.tracker.active {
            json.object { json in
              json.field("file", state.group.file)
              json.field("group", state.group.name)
              json.field("place", place)
              json.key("labels")
              json.texts(
                Dictionary(uniqueKeysWithValues: alert.labels.pairs.map { ($0.name, value($0.value, $0.name)) }))
              json.field("state", alert.state.rawValue)
              json.field("active", alert.activeAtMilliseconds)
              if let fired = alert.firedAtMilliseconds { json.field("fired", fired) }
              if let since = alert.keepFiringSinceMilliseconds { json.field("kept", since) }
            }
          }
        }
      }
    }
    return json.bytes
  }

  struct KeptAlert {
    let file: String
    let group: String
    let place: Int
    let alert: Alert
  }

  static func alerts(_ bytes: [UInt8]) -> [KeptAlert] {
    guard let json = try? JSONReader.value(bytes, limits: JSONReader.Limits(bytes: 16 << 20)) else { return [] }
    return json.elements.compactMap { entry in
      func milliseconds(_ name: String) -> Int64? { entry[name]?.number.map { Int64(clamping: $0) } }
      guard let file = entry["file"]?.string, let group = entry["group"]?.string, let place = entry["place"]?.number,
        let state = entry["state"]?.string.flatMap({ AlertState(rawValue: $0) }), let active = milliseconds("active")
      else { return nil }
      let pairs = (entry["labels"]?.members ?? []).compactMap { member in
        member.value.string.map { Labels.Pair(member.name, $0) }
      }
      return KeptAlert(
        file: file, group: group, place: Int(clamping: place),
        alert: Alert(
          labels: Labels(pairs), annotations: [:], value: .nan, state: state, activeAtMilliseconds: active,
          firedAtMilliseconds: milliseconds("fired"), keepFiringSinceMilliseconds: milliseconds("kept")))
    }
  }
}
