import Alerting
import ArgumentParser
import Config
import Fleet
import Metrics
import PromQL
import Runtime

/// Shows what the flight recorder kept: how the fleet stood, and the alerts with the rules of then or of today.
struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Show findings, servers and alerts as they were, from the flight recorder's files.",
    discussion: """
      Reads the folder that the flight recorder writes, or one of its files, and asks no server. Without --at it lists what \
      happened to alerts and what the checks said, with times. With --at it shows how the fleet stood then. The rules are those of then; \
      --rules evaluates others over the same samples: would the new threshold have paged? A metric that no rule of then read is not in \
      a recording.

      --cut scenario prints a scenario for Tests/FleetTests/Scenarios, with hosts replaced by letters.

      Times are RFC 3339, or seconds since 1970.

      Exits with 0, with 1 when a part of the recording cannot be read, which is then named, with 2 when none can, and with 64 \
      for wrong arguments.

      Example: redline replay /var/lib/redline/redline.db.recording --at 2026-11-30T03:12:00Z
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text, json
  }

  enum Cut: String, ExpressibleByArgument, CaseIterable {
    case scenario
  }

  @Argument(help: "The folder of the recording, or one of its files.", completion: .directory)
  var file: String

  @Option(help: "Show how the fleet stood at this time.")
  var at: Moment?

  @Option(help: "Leave out what happened before this time.")
  var from: Moment?

  @Option(help: "Leave out what happened after this time.")
  var to: Moment?

  @Option(help: "Only this workload.")
  var workload: String?

  @Option(parsing: .upToNextOption, help: "Evaluate these rule files instead of those of then.", completion: .file())
  var rules: [String] = []

  @Option(help: "With --at, print the metrics of this server, as the collectors of today make them of its replies.")
  var metrics: String?

  @Option(help: "Print a part of the recording in another form: scenario.")
  var cut: Cut?

  @Option(help: "The check that a scenario is for: its findings are expected.")
  var check: String?

  @Option(help: "How it is printed: text or json.")
  var format: Format = .text

  /// A time on the command line.
  struct Moment: ExpressibleByArgument {
    let milliseconds: Int64

    init?(argument: String) {
      if let seconds = Double(argument), seconds.isFinite, abs(seconds) < 1e11 {
        milliseconds = Int64(clamping: seconds * 1000)
      } else if let time = Timestamp.parse(argument) {
        milliseconds = time.epochMs
      } else {
        return nil
      }
    }
  }

  func validate() throws {
    if metrics != nil, at == nil { throw ValidationError("--metrics is for --at") }
    if cut == .scenario, workload == nil || check == nil {
      throw ValidationError("--cut scenario needs --workload and --check")
    }
    if let from, let to, to.milliseconds < from.milliseconds { throw ValidationError("--to is before --from") }
  }

  private static let partStatus: Int32 = 1

  func run() throws {
    let recording: Recording
    do throws(FileProblem) { recording = try Recording(file) } catch {
      Redline.printError("\(file) cannot be read: \(error.reason)")
      throw ExitCode(Redline.usageStatus)
    }
    var problems: [String]
    do {
      problems = try print(recording)
    } catch let errors as ConfigErrors {
      Redline.printError("\(errors)")
      throw ExitCode(Redline.usageStatus)
    } catch let problem as ReplayProblem {
      Redline.printError(problem.description)
      throw ExitCode(Redline.usageStatus)
    }
    problems.removeAll { $0.isEmpty }
    for problem in problems { Redline.printError(problem) }
    if !problems.isEmpty { throw ExitCode(Self.partStatus) }
  }

  /// - Returns: what could not be read, a sentence each.
  private func print(_ recording: Recording) throws -> [String] {
    if cut == .scenario { return try printScenario(recording) }
    var timeline = ReplayTimeline(rules: rules, workload: workload)
    let end = at ?? to
    var problems = try recording.read { event in
      guard end.map({ event.milliseconds ?? .min <= $0.milliseconds }) ?? true else { return }
      try timeline.take(event)
    }
    guard timeline.hasAnything else { throw ReplayProblem("\(file) holds nothing of that time") }
    problems += timeline.problems
    if let metrics, at != nil {
      guard let samples = try timeline.fleet.samples(ofInstance: metrics) else {
        throw ReplayProblem("no answer of \(metrics) is recorded before that time")
      }
      Swift.print(String(decoding: Exposition().page([samples]), as: UTF8.self), terminator: "")
    } else {
      let text = ReplayText(timeline, from: from?.milliseconds, at: at?.milliseconds)
      Swift.print(format == .json ? try text.json() : try text.text(), terminator: "")
    }
    return problems
  }

  private func printScenario(_ recording: Recording) throws -> [String] {
    guard let workload, let check else { return [] }
    var cut = ScenarioCut(workload: workload, check: check)
    let problems = try recording.read { event in
      let time = event.milliseconds ?? from?.milliseconds ?? .min
      guard time <= to?.milliseconds ?? .max else { return }
      if case .text(let text) = event, text.name == RecordedTexts.configuration {
        cut.config = try FleetConfig.parse(text.bytes, file: "the recording").workload(named: workload)
      }
      try cut.take(event, isShown: time >= from?.milliseconds ?? .min)
    }
    guard let text = try cut.text() else {
      throw ReplayProblem("\(file) holds no poll of the workload \(workload) in that time")
    }
    Swift.print(text, terminator: "")
    return problems
  }
}

/// Why nothing can be shown.
struct ReplayProblem: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

extension RecordedEvent {
  /// When it happened, in milliseconds since 1970; nil for what belongs to what follows it.
  var milliseconds: Int64? {
    switch self {
    case .segment(let start): start
    case .poll(let poll): poll.ended.epochMs
    case .page(_, let time): time
    case .evaluation(let evaluation): evaluation.timeMilliseconds
    case .judgement(let judgement): judgement.time.epochMs
    case .text, .probe, .gone, .dropped, .shift: nil
    }
  }
}
