import Fleet
import Runtime

/// What a load test showed.
public struct LoadOutcome: Sendable {
  public let workload: String
  public let course: LoadCourse
  public let stop: LoadCourse.Stop?
  /// How the generator ended.
  public let command: ChildEnd
  /// For how long it ran, in seconds.
  public let loadSeconds: Double
  public let startedAt: WallTime
  public let endedAt: WallTime

  public init(
    workload: String, course: LoadCourse, stop: LoadCourse.Stop?, command: ChildEnd, loadSeconds: Double,
    startedAt: WallTime, endedAt: WallTime
  ) {
    (self.workload, self.course, self.stop, self.command) = (workload, course, stop, command)
    (self.loadSeconds, self.startedAt, self.endedAt) = (loadSeconds, startedAt, endedAt)
  }

  private enum Answer {
    case ok(String)
    case finding(Finding.Severity, String)
    case unknown(String)
  }

  private static func milliseconds(_ seconds: Double) -> String {
    "\((seconds * 10_000).rounded() / 10) ms"
  }

  private var rules: LoadRules { course.rules }

  private var answers: [(id: String, answer: Answer)] {
    [
      ("load-latency", latency), ("load-errors", errors), ("load-memory", memory), ("load-evictions", evictions),
      ("load-refused", refused), ("load-lag", lag), ("load-factor", factor), ("load-command", generator),
      ("load-probes", probes),
    ]
  }

  private var latency: Answer {
    guard let p99 = course.p99Seconds else { return .unknown("no probe was answered") }
    let text = "99 of 100 probes were answered within \(Self.milliseconds(p99)) under load"
    guard let limit = rules.p99Seconds else { return .ok("\(text); the workload has no objective latency_p99") }
    let before = course.baseP99Seconds.map { ", \(Self.milliseconds($0)) before" } ?? ""
    return p99 <= limit
      ? .ok(text + before) : .finding(.warning, "\(text)\(before); the objective is \(Self.milliseconds(limit))")
  }

  private var errors: Answer {
    guard let share = course.errorShare else { return .unknown("the servers do not tell how many commands failed") }
    let text = "\(BackupWords.percent(share)) of commands failed"
    return share < LoadRules.errorShare && course.failedProbes == 0
      ? .ok(text)
      : .finding(.warning, course.failedProbes > 0 ? "\(text), and \(course.failedProbes) probes had no answer" : text)
  }

  private var memory: Answer {
    guard let ratio = course.mostMemoryRatio else { return .ok("no server has a limit of memory") }
    let text = "memory reached \(BackupWords.percent(ratio)) of maxmemory"
    guard let limit = rules.memoryRatio else { return .ok(text) }
    return ratio <= limit ? .ok(text) : .finding(.warning, "\(text); the objective is \(BackupWords.percent(limit))")
  }

  private var evictions: Answer {
    let count = course.evictions
    let text = "\(count) keys were evicted"
    return count > 0 && rules.areEvictionsAllowed == false
      ? .finding(.critical, "\(text), and the workload must not evict") : .ok(text)
  }

  private var refused: Answer {
    let count = course.refusedClients
    return count == 0
      ? .ok("no client was refused") : .finding(.warning, "\(count) connections were refused at maxclients")
  }

  private var lag: Answer {
    guard let lag = course.mostLagSeconds else { return .ok("there is no replica that could lag") }
    let text = "the furthest replica was \(BackupWords.seconds(lag)) behind"
    guard let limit = rules.lagSeconds else { return .ok(text) }
    return lag <= limit ? .ok(text) : .finding(.warning, "\(text); the objective is \(BackupWords.seconds(limit))")
  }

  private var factor: Answer {
    guard let reached = course.reachedFactor else {
      return .unknown(
        "how many times the usual load this was is not known: name a daemon with --url, which knows the peak")
    }
    let text =
      "the load was \((reached * 10).rounded() / 10) times the \(rules.peakRate == nil ? "load before" : "peak")"
    return reached >= rules.factor
      ? .ok(text) : .unknown("\(text), and \(rules.factor) times was asked for: this proves less")
  }

  private var generator: Answer {
    switch stop {
    case .lateProbes: return .unknown("the load was ended: this machine is too busy to measure")
    case let stop?:
      return .finding(.warning, "the load was ended after \(BackupWords.seconds(loadSeconds)): \(Self.words(stop))")
    case nil: break
    }
    switch command {
    case .exited(0), .killed, .timedOut: return .ok("the command ran for \(BackupWords.seconds(loadSeconds))")
    case .exited(143), .exited(130): return .ok("the command ran for \(BackupWords.seconds(loadSeconds))")
    default:
      return .unknown("the command \(command) after \(BackupWords.seconds(loadSeconds)): what it did is not known")
    }
  }

  private var probes: Answer {
    guard let share = course.lateShare else { return .unknown("no probe was sent") }
    let text = "\(BackupWords.percent(share)) of probes were sent more than 5 ms late by this machine"
    return share > LoadRules.lateShare ? .unknown("\(text): run it on one that is not busy") : .ok(text)
  }

  private static func words(_ stop: LoadCourse.Stop) -> String {
    switch stop {
    case .errors: "5 % of commands failed"
    case .memory: "memory reached 90 % of maxmemory"
    case .evictions: "keys were evicted"
    case .latency: "probes were ten times as slow as before"
    case .lateProbes: "this machine is too busy to measure"
    }
  }

  public var results: [CheckResult] {
    answers.map { id, answer in
      switch answer {
      case .ok(let text): CheckResult(check: id, group: .health, workload: workload, answer: .ok, text: text)
      case .finding(let severity, let text):
        CheckResult(check: id, group: .health, workload: workload, answer: .finding, severity: severity, text: text)
      case .unknown(let reason):
        CheckResult(check: id, group: .health, workload: workload, answer: .unknown, reason: reason)
      }
    }
  }

  /// Names end in their unit.
  public var numbers: [String: Double] {
    var numbers = ["run_seconds": loadSeconds, "evicted_keys": Double(course.evictions)]
    numbers["p99_seconds"] = course.p99Seconds
    numbers["before_p99_seconds"] = course.baseP99Seconds
    numbers["commands_per_second"] = course.loadRate
    numbers["factor"] = course.reachedFactor
    numbers["busy_ratio"] = course.busyRatio
    numbers["memory_used_ratio"] = course.mostMemoryRatio
    numbers["errors_ratio"] = course.errorShare
    numbers["lag_seconds"] = course.mostLagSeconds
    return numbers
  }

  /// What is told beside the results.
  public var remarks: [String] {
    var lines: [String] = []
    if let rate = course.loadRate { lines.append("\(Int(clamping: rate.rounded())) commands per second at masters") }
    if let busy = course.busyRatio {
      lines.append("the busiest event loop was busy \(BackupWords.percent(busy)) of the time")
    }
    return lines
  }

  public var report: CheckReport {
    CheckReport(
      check: "load", workload: workload, startedAt: startedAt, endedAt: endedAt, numbers: numbers,
      results: results.worstFirst, remarks: remarks)
  }
}
