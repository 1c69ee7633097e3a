import Runtime

/// What the checks said of a workload, as pages showed it.
public struct RecordedJudgement: Sendable, Equatable {
  public struct Line: Sendable, Equatable {
    public let check: String
    public let group: String
    /// `critical`, `warning`, `info`; nil for what could not be seen.
    public let severity: String?
    /// An `instance`; nil where it is about no single server.
    public let instance: String?
    public let text: String
    public let since: WallTime
  }

  public let workload: String
  /// `healthy`, `degraded`, `critical` or `unknown`.
  public let state: String
  public let lines: [Line]
  public let time: WallTime

  private static let textLimit = 4096
  private static let lineLimit = 10_000

  init(_ judgement: Judgement, of workload: String) {
    self.workload = workload
    state = judgement.health.state.rawValue
    time = judgement.state.wall
    lines =
      judgement.findings.map { finding in
        Line(
          check: finding.check, group: finding.group.rawValue, severity: finding.severity.name,
          instance: finding.subject.instance, text: Self.text(finding.text, about: finding.subject),
          since: finding.since)
      }
      + judgement.unknowns.map { blindness in
        Line(
          check: blindness.check, group: blindness.group.rawValue, severity: nil, instance: blindness.subject.instance,
          text: Self.text(blindness.reason, about: blindness.subject), since: judgement.state.wall)
      }
  }

  /// The sentence without secrets; of what is about keys, without their names.
  private static func text(_ text: String, about subject: Finding.Subject) -> String {
    guard case .keys(let name) = subject, !name.isEmpty else { return KnownSecrets.masked(text, sparesWords: true) }
    return KnownSecrets.masked(text.replacing(name, with: "…"), sparesWords: true)
  }

  /// Whether both say the same, whenever that was.
  func saysTheSame(as other: RecordedJudgement) -> Bool {
    func said(_ line: Line) -> [String?] { [line.check, line.severity, line.instance, line.text] }
    return state == other.state && lines.map(said) == other.lines.map(said)
  }

  func write(to output: inout ByteWriter) {
    output.add(workload)
    output.add(state)
    output.add(signed: time.epochMs)
    output.add(min(lines.count, Self.lineLimit))
    for line in lines.prefix(Self.lineLimit) {
      for text in [line.check, line.group, line.severity ?? "", line.instance ?? "", line.text] {
        output.add(text.cut(toBytes: Self.textLimit))
      }
      output.add(signed: line.since.epochMs)
    }
  }

  init(_ input: inout ByteReader) throws(RecordingDamage) {
    func optional(_ text: String) -> String? { text.isEmpty ? nil : text }
    workload = try input.string(upTo: Self.textLimit)
    state = try input.string(upTo: Self.textLimit)
    time = WallTime(epochMs: try input.signed())
    var lines: [Line] = []
    for _ in 0..<(try input.count(upTo: Self.lineLimit)) {
      var texts: [String] = []
      for _ in 0..<5 { texts.append(try input.string(upTo: Self.textLimit)) }
      lines.append(
        Line(
          check: texts[0], group: texts[1], severity: optional(texts[2]), instance: optional(texts[3]), text: texts[4],
          since: WallTime(epochMs: try input.signed())))
    }
    self.lines = lines
  }
}
