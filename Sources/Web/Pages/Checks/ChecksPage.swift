/// The page at `/checks`: what was verified, when, with which verdict, and what is overdue.
public struct ChecksPage: Sendable {
  /// One thing that a check looked at, the verdict as in its result: `ok`, `finding`, `unknown`.
  public struct Line: Sendable {
    public var verdict: String
    public var text: String

    public init(_ verdict: String, _ text: String) { (self.verdict, self.text) = (verdict, text) }
  }

  /// One run of a check. Times are seconds since the epoch.
  public struct Run: Sendable {
    public var verdict: String
    public var startSeconds: Double
    public var endSeconds: Double
    /// By name.
    public var numbers: [(name: String, value: Double)]
    public var lines: [Line]

    public init(
      verdict: String, startSeconds: Double, endSeconds: Double, numbers: [(name: String, value: Double)] = [],
      lines: [Line] = []
    ) {
      self.verdict = verdict
      self.startSeconds = startSeconds
      self.endSeconds = endSeconds
      self.numbers = numbers
      self.lines = lines
    }
  }

  /// One check of one workload.
  public struct Entry: Sendable {
    public var workload: String
    public var check: String
    /// What is known where it is ok.
    public var title: String
    /// The newest; nil for one that never ran.
    public var newest: Run?
    /// When the newest run with a verdict ended, where the newest run has none.
    public var lastVerdict: (verdict: String, seconds: Double)?
    /// How old it may be; nil where nobody asks.
    public var objectiveSeconds: Double?
    /// nil while it is not overdue.
    public var overdueSeconds: Double?
    /// What runs it; nil where Redline has no command for it.
    public var command: String?

    public init(workload: String, check: String, title: String) {
      (self.workload, self.check, self.title) = (workload, check, title)
    }

    var level: TopologyPage.Level {
      if newest?.verdict == "finding" { return .grave }
      if overdueSeconds != nil { return .warning }
      return newest?.verdict == "ok" ? .good : .note
    }
  }

  /// A file that was not taken as a result.
  public struct RefusedFile: Sendable {
    public var seconds: Double
    public var name: String
    public var reason: String

    public init(seconds: Double, name: String, reason: String) {
      (self.seconds, self.name, self.reason) = (seconds, name, reason)
    }
  }

  public var metricsPath: String
  /// Only of this workload; empty for all.
  public var workload = ""
  public var workloads: [String] = []
  public var entries: [Entry]
  public var refused: [RefusedFile] = []
  /// Where results come in, or why none do.
  public var notice = ""
  public var nowSeconds: Double

  public init(_ entries: [Entry], metricsPath: String, nowSeconds: Double) {
    (self.entries, self.metricsPath, self.nowSeconds) = (entries, metricsPath, nowSeconds)
  }

  public func response() -> Response {
    var layout = Layout(title: "Checks", content: content)
    layout.styles = Self.styles
    layout.navigation = Navigation(.checks, metricsPath: metricsPath)
    return layout.response()
  }

  /// Entries that are shown, the worst first.
  static let entryLimit = 200
  /// Of one run.
  static let lineLimit = 60
  static let numberLimit = 40
}
