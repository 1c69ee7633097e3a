import Runtime

/// What a command found that takes minutes and writes or kills: a verified backup, a drill, a load test, a look at readiness.
///
/// It is one JSON object of at most 64 KiB. Commands leave it in the folder `results.path` or hand it to `POST /api/v1/results`.
public struct CheckReport: Sendable, Equatable {
  /// One thing that was looked at.
  public struct Line: Sendable, Equatable {
    public let verdict: CheckResult.Answer
    public let text: String

    public init(_ verdict: CheckResult.Answer, _ text: String) {
      self.verdict = verdict
      self.text = text
    }
  }

  /// The kind of check: `backup`, `drill`, `load`, `ready`, or a name of the team's own.
  public let check: String
  public let workload: String
  public let startedAt: WallTime
  public let endedAt: WallTime
  public let verdict: CheckResult.Answer
  /// Finite ones only. Their names end in their unit: `load_seconds`, `lost_writes`.
  public let numbers: [String: Double]
  /// The most important first.
  public let lines: [Line]

  public static let limitBytes = 64 << 10
  static let numberLimit = 200
  static let lineLimit = 500
  /// Of one line.
  static let textBytes = 1 << 10

  public init(
    check: String, workload: String, startedAt: WallTime, endedAt: WallTime, verdict: CheckResult.Answer,
    numbers: [String: Double] = [:], lines: [Line] = []
  ) {
    self.check = check
    self.workload = workload
    self.startedAt = startedAt
    self.endedAt = endedAt
    self.verdict = verdict
    self.numbers = numbers.filter { $0.value.isFinite }
    self.lines = lines
  }

  /// The report as the bytes of a file: of too many lines, the last ones are left out, and the last that is there says so.
  public var json: [UInt8] {
    func bytes(_ kept: Int) -> [UInt8] {
      let left = lines.count - kept
      let note = left > 0 ? [Line(.unknown, "\(left) more lines are left out: a result has at most 64 KiB")] : []
      var json = JSONWriter()
      CheckReport(
        check: check, workload: workload, startedAt: startedAt, endedAt: endedAt, verdict: verdict, numbers: numbers,
        lines: lines.prefix(kept) + note
      ).write(to: &json)
      return json.bytes
    }
    let most = lines.count > Self.lineLimit ? Self.lineLimit - 1 : lines.count
    let whole = bytes(most)
    // A line break behind it must fit, too.
    if whole.count < Self.limitBytes { return whole }
    // The most that fit, by halves.
    var (fits, tooMany) = (0, most)
    while tooMany - fits > 1 {
      let middle = (fits + tooMany) / 2
      if bytes(middle).count < Self.limitBytes { fits = middle } else { tooMany = middle }
    }
    return bytes(fits)
  }

  /// As ``init(json:now:)`` reads it, with known secrets masked.
  public func write(to json: inout JSONWriter) {
    json.object { json in
      json.field("check", check)
      json.field("workload", workload)
      json.field("startedAt", startedAt.seconds)
      json.field("endedAt", endedAt.seconds)
      json.field("verdict", verdict.rawValue)
      json.key("numbers")
      json.object { json in for (name, value) in numbers.sorted(by: { $0.key < $1.key }) { json.field(name, value) } }
      json.key("lines")
      json.lines { json in
        for line in lines {
          json.object { json in
            json.field("verdict", line.verdict.rawValue)
            json.field("text", Self.shown(line.text))
          }
        }
      }
    }
  }

  /// A line as it is kept: one line, bounded, without secrets.
  static func shown(_ text: String) -> String {
    KnownSecrets.masked(oneLine(text), sparesWords: true).cut(toBytes: textBytes)
  }
}

extension CheckReport {
  /// What a command left that answers with results.
  ///
  /// - Parameters:
  ///   - results: the most important first.
  ///   - severity: of findings that fail the check.
  ///   - remarks: what is to be known beside them.
  public init(
    check: String, workload: String, startedAt: WallTime, endedAt: WallTime, numbers: [String: Double],
    results: [CheckResult], failingFrom severity: Finding.Severity = .info, remarks: [String] = []
  ) {
    let hasFailed = results.contains { $0.answer == .finding && ($0.severity ?? .info) >= severity }
    self.init(
      check: check, workload: workload, startedAt: startedAt, endedAt: endedAt,
      verdict: hasFailed ? .finding : results.contains { $0.answer == .unknown } ? .unknown : .ok, numbers: numbers,
      lines: results.map { Line($0.answer, $0.reason ?? $0.text) } + remarks.map { Line(.ok, $0) })
  }
}

extension [CheckResult] {
  /// Findings, then what is unknown, then what is well; within each as they were.
  public var worstFirst: [CheckResult] {
    [CheckResult.Answer.finding, .unknown, .ok].flatMap { answer in filter { $0.answer == answer } }
  }
}
