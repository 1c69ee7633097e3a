import Alerting
import Fleet
import PromQL
import Runtime

/// What a recording tells, from its beginning on.
struct ReplayTimeline {
  /// What the checks began or ceased to say.
  struct Told {
    let milliseconds: Int64
    let workload: String
    let state: String
    let begun: [RecordedJudgement.Line]
    let ended: [RecordedJudgement.Line]
  }

  private let workload: String?
  private(set) var fleet = ReplayedFleet()
  private var replay: AlertReplay
  private(set) var told: [Told] = []
  private(set) var droppedCount = 0
  private(set) var version = ""
  private(set) var firstMilliseconds: Int64?
  private(set) var lastMilliseconds: Int64 = .min
  private(set) var pollCount = 0

  /// - Parameters:
  ///   - rules: rule files instead of those of then.
  ///   - workload: nil for all.
  init(rules: [String], workload: String?) {
    self.workload = workload
    replay = AlertReplay(rules: rules)
  }

  var hasAnything: Bool { firstMilliseconds != nil }
  var problems: [String] { replay.problems + replay.errors }
  var alerts: [Alert] { replay.active.filter { isShown($0.labels) } }
  var changes: [RulesReplay.Change] { replay.changes.filter { isShown($0.labels) } }
  var workloads: [String] { fleet.workloads.filter { workload == nil || $0 == workload } }

  private func isShown(_ labels: Labels) -> Bool { workload == nil || labels["workload"] == workload }

  mutating func take(_ event: RecordedEvent) throws {
    if let time = event.milliseconds {
      firstMilliseconds = firstMilliseconds ?? time
      lastMilliseconds = max(lastMilliseconds, time)
    }
    switch event {
    case .judgement(let judgement): note(judgement)
    case .dropped(let count): droppedCount += count
    case .poll: pollCount += 1
    case .text(let text) where text.name == RecordedTexts.version: version = String(decoding: text.bytes, as: UTF8.self)
    default: break
    }
    fleet.take(event)
    try replay.take(event)
  }

  private mutating func note(_ judgement: RecordedJudgement) {
    guard workload == nil || judgement.workload == workload else { return }
    func isSame(_ one: RecordedJudgement.Line, _ other: RecordedJudgement.Line) -> Bool {
      one.check == other.check && one.instance == other.instance && one.severity == other.severity
    }
    let before = fleet.judgements[judgement.workload]
    let begun = judgement.lines.filter { line in !(before?.lines.contains { isSame($0, line) } ?? false) }
    let ended = (before?.lines ?? []).filter { line in !judgement.lines.contains { isSame($0, line) } }
    guard before == nil || before?.state != judgement.state || !begun.isEmpty || !ended.isEmpty else { return }
    told.append(
      Told(
        milliseconds: judgement.time.epochMs, workload: judgement.workload, state: judgement.state, begun: begun,
        ended: ended))
  }
}
