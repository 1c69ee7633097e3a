/// The page at `/evidence/ID`: what was gathered about an alert from the second it began, the likeliest cause first, before
/// against after.
///
/// Everything that comes from elsewhere is escaped and cut, and the whole is bounded.
public struct EvidencePage: Sendable {
  public struct Culprit: Sendable {
    public var text: String
    /// Where it is seen.
    public var restsOn: String

    public init(_ text: String, restsOn: String) { (self.text, self.restsOn) = (text, restsOn) }
  }

  /// What one source has to say.
  public struct Section: Sendable {
    public var title: String
    public var lines: [String]
    /// Without columns there is no table.
    public var columns: [String]
    public var rows: [[String]]
    public var omittedRowCount: Int

    public init(
      _ title: String, lines: [String], columns: [String] = [], rows: [[String]] = [], omittedRowCount: Int = 0
    ) {
      (self.title, self.lines, self.columns, self.rows) = (title, lines, columns, rows)
      self.omittedRowCount = omittedRowCount
    }
  }

  public struct Figure: Sendable {
    public var title: String
    public var unit: String
    public var value: Double

    public init(_ title: String, unit: String, value: Double) {
      (self.title, self.unit, self.value) = (title, unit, value)
    }
  }

  public struct Node: Sendable {
    public var name: String
    public var role: String
    /// Why it said nothing; nil where it answered.
    public var silence: String?
    public var figures: [Figure]
    public var sections: [Section]

    public init(_ name: String, role: String, silence: String?, figures: [Figure], sections: [Section]) {
      (self.name, self.role, self.silence) = (name, role, silence)
      (self.figures, self.sections) = (figures, sections)
    }
  }

  public struct Look: Sendable {
    /// `when it became pending`.
    public var reason: String
    /// Since the epoch.
    public var seconds: Double
    public var nodes: [Node]
    public var sections: [Section]

    public init(_ reason: String, seconds: Double, nodes: [Node], sections: [Section]) {
      (self.reason, self.seconds, self.nodes, self.sections) = (reason, seconds, nodes, sections)
    }
  }

  /// One alert's evidence, as lists show it.
  public struct Record: Sendable {
    public var id: String
    /// The alert that it was begun for, and the others that share it.
    public var alert: String
    public var otherAlerts: [String] = []
    public var severity: String
    public var workload: String
    public var node: String?
    /// When the alert became pending, since the epoch.
    public var seconds: Double
    /// When it began to fire; nil where it did not.
    public var firedSeconds: Double?
    public var culprits: [Culprit] = []

    public init(id: String, alert: String, severity: String, workload: String, node: String?, seconds: Double) {
      (self.id, self.alert, self.severity, self.workload, self.node, self.seconds) = (
        id, alert, severity, workload, node, seconds
      )
    }

    var level: TopologyPage.Level {
      firedSeconds == nil ? .note : severity == "critical" ? .grave : severity == "info" ? .note : .warning
    }

    static func address(_ id: String) -> String { "/evidence/\(pathEncoded(id))" }
  }

  public var metricsPath: String
  public var record: Record
  public var looks: [Look]
  /// Seconds since the epoch.
  public var nowSeconds: Double
  /// The instances and the workloads that have a page of their own.
  public var nodes: Set<String> = []
  public var workloads: Set<String> = []
  /// The alerts that have a runbook here.
  public var runbookNames: Set<String> = []
  /// Whether tables were shortened to keep it small.
  public var isCut = false
  /// Whether a look is still to come.
  public var isOpen = false
  /// How much is kept, and for how many days.
  public var limits: (count: Int, days: Int) = (0, 0)

  public init(_ record: Record, looks: [Look], metricsPath: String, nowSeconds: Double) {
    self.record = record
    self.looks = looks
    self.metricsPath = metricsPath
    self.nowSeconds = nowSeconds
  }

  public func response() -> Response {
    var layout = Layout(title: "Evidence: \(clipped(record.alert, to: 120))", content: content)
    layout.styles = Self.styles
    layout.navigation = Navigation(nil, metricsPath: metricsPath)
    layout.refreshSeconds = isOpen ? Self.refreshSeconds : nil
    return layout.response()
  }

  static let refreshSeconds = 10
}

/// The page at `/evidence`: what was gathered about alerts, the newest first.
public struct EvidenceListPage: Sendable {
  public var metricsPath: String
  public var records: [EvidencePage.Record]
  public var nowSeconds: Double
  /// What is asked for; empty texts ask for all.
  public var workload = ""
  public var node = ""
  public var workloads: [String] = []
  public var hasMore = false
  /// Why there are none; empty for nothing.
  public var notice = ""
  public var limits: (count: Int, days: Int) = (0, 0)

  public init(_ records: [EvidencePage.Record], metricsPath: String, nowSeconds: Double) {
    (self.records, self.metricsPath, self.nowSeconds) = (records, metricsPath, nowSeconds)
  }

  public func response() -> Response {
    var layout = Layout(title: "Evidence", content: content)
    layout.styles = EvidencePage.styles
    layout.navigation = Navigation(nil, metricsPath: metricsPath)
    return layout.response()
  }
}
