import Alerting
import Config
import Fleet
import PromQL
import Runtime

/// The alerts of a recording: rules evaluated over what rules read then, at the times at which they were evaluated.
struct AlertReplay {
  /// Rule files that take the place of those of then.
  private let others: [String]
  private var replay: RulesReplay?
  private var options = RuleEngine.Options()
  private var files: [RuleFile] = []
  /// Names of the rules of then, by file and group.
  private var names: [[String]: [String]] = [:]
  private var run = ""
  private var began: Int64 = 0
  /// What cannot be evaluated, a sentence each.
  private(set) var problems: [String] = []
  private var texts: [FlightRecorder.Text] = []

  init(rules others: [String]) { self.others = others }

  var changes: [RulesReplay.Change] { replay?.changes ?? [] }

  /// Alerts that are pending or fire, with their rules' groups.
  var active: [Alert] { (replay?.groups ?? []).flatMap(\.rules).flatMap(\.tracker.active) }

  /// Rules that gave nothing, and why.
  var errors: [String] {
    (replay?.errors ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key) cannot be evaluated: \($0.value)" }
  }

  mutating func take(_ event: RecordedEvent) throws {
    switch event {
    case .segment(let start):
      began = start
      texts = []
      replay?.forgetSources()
    case .text(let text):
      texts.append(text)
      // It is the last of them.
      if text.name == RecordedTexts.alerts { try begin() }
    case .page(let page, let time):
      try replay?.take(
        page.mapValues { source in
          RulesReplay.Source(
            stamp: source.stamp,
            series: source.series.map { series in (series.name, series.labels.map { ($0.name, $0.value) }) },
            values: source.values)
        }, atMilliseconds: time)
    case .evaluation(let evaluation): evaluate(evaluation)
    case .shift(let milliseconds): replay?.shift(byMilliseconds: milliseconds)
    case .poll, .probe, .gone, .judgement, .dropped: break
    }
  }

  private mutating func evaluate(_ evaluation: RecordedEvaluation) {
    let known = names[[evaluation.file, evaluation.group]] ?? []
    let wanted = evaluation.places.map { places in Set(places.filter { known.indices.contains($0) }.map { known[$0] }) }
    // Rules of today stand in other files.
    let file = others.isEmpty ? evaluation.file : nil
    replay?.evaluate(evaluation.group, of: file, names: wanted, atMilliseconds: evaluation.timeMilliseconds)
  }

  // MARK: Rules

  private mutating func begin() throws {
    func text(_ name: String) -> [UInt8]? { texts.first { $0.name == name }?.bytes }
    guard let options = text(RecordedTexts.options).flatMap({ RecordedTexts.options($0) }) else {
      problems.append("how rules were evaluated cannot be read")
      return
    }
    let run = String(decoding: text(RecordedTexts.run) ?? [], as: UTF8.self)
    let isSameRun = run == self.run && replay != nil
    (self.options, self.run) = (options, run)
    var then: [RuleFile] = []
    for one in texts where one.name.hasPrefix(RecordedTexts.rules) {
      do {
        then.append(
          try RuleFile.parse(
            one.bytes, file: String(one.name.dropFirst(RecordedTexts.rules.count)), dialect: options.dialect,
            externalURL: options.externalURL))
      } catch {
        problems.append("a rule file of then cannot be used: \(error)")
      }
    }
    for group in then.flatMap(\.groups) { names[[group.file, group.name]] = group.rules.map(\.name) }
    let hasChanged = then.map(\.text) != files.map(\.text)
    files = then
    if !others.isEmpty {
      if replay == nil {
        let today = try others.map { try RuleFile.load($0, dialect: options.dialect, externalURL: options.externalURL) }
        replay = RulesReplay(today, options: options, knownGroups: Set(then.flatMap(\.groups).map(\.name)))
      }
      return
    }
    if isSameRun, !hasChanged { return }
    let former = replay
    replay = former?.with(then, options: options) ?? RulesReplay(then, options: options)
    if isSameRun { return }
    let kept = RecordedTexts.alerts(text(RecordedTexts.alerts) ?? [])
    let began = began
    replay?.restore(atMilliseconds: began) { group, place in
      kept.filter { $0.file == group.file && $0.group == group.name && $0.place == place }.map(\.alert)
    }
  }
}
