/// The page at `/node/NAME`: one server, what it is, what is wrong with it, how it does and did, and how it is set.
public struct NodePage: Sendable {
  /// A number that people ask for first.
  public struct Figure: Sendable {
    public var title: String
    /// With its unit; empty where it is not known.
    public var value: String
    public var note = ""
    public var level = TopologyPage.Level.good
    public var series: TimeSeries?
    /// nil for none.
    public var objective: Double?
    /// Of when the value is, where it is not current; in seconds since the epoch.
    public var asOfSeconds: Double?

    public init(_ title: String, _ value: String, note: String = "") {
      self.title = title
      self.value = value
      self.note = note
    }

    /// A figure that is the newest value of its series, whose newest point is of now.
    public init(_ title: String, _ series: TimeSeries, nowSeconds now: Double) {
      self.init(title, series.last.map(series.text) ?? "")
      self.series = series
      let age = series.lastAgeSeconds ?? 0
      asOfSeconds = age > 0 ? now - age : nil
    }
  }

  /// What is known of slow commands; never what they were sent.
  public struct SlowLog: Sendable {
    public var entryCount: Double?
    public var newestDurationSeconds: Double?
    /// In seconds since the epoch.
    public var newestSeconds: Double?
    /// Commands that went to the log over the last hour.
    public var addedInHour: Double?

    public init() {}
  }

  public struct ClientName: Sendable {
    public var name: String
    public var count: Double

    public init(_ name: String, count: Double) {
      self.name = name
      self.count = count
    }
  }

  /// A master that a Sentinel watches, as it sees it.
  public struct WatchedMaster: Sendable {
    public var name: String
    public var address: String
    /// `ok`, `sdown`, `odown`.
    public var status: String
    public var isWell: Bool
    public var replicas: Double?
    public var wellReplicas: Double?
    public var sentinels: Double?
    public var wellSentinels: Double?
    public var quorum: Double?
    /// What the Sentinel says of whether a failover could be agreed on; empty where it was not asked.
    public var agreement = ""
    public var canAgree = true

    public init(_ name: String, address: String, status: String, isWell: Bool) {
      (self.name, self.address, self.status, self.isWell) = (name, address, status, isWell)
    }
  }

  /// What a Sentinel watches, and with whom.
  public struct Sentinel: Sendable {
    public var masters: [WatchedMaster] = []
    /// Further Sentinels, by the names of their pages.
    public var peers: [String] = []
  }

  public struct Identity: Sendable {
    /// `master`, `replica`, `sentinel`, `was master`; empty where that is not known.
    public var role = ""
    /// Whose member it is; nil for a server that flags name.
    public var workload: String?
    /// The master that a replica follows now: a page.
    public var master: String?
    /// Version, uptime, address: in words.
    public var facts: [(name: String, value: String)] = []
  }

  /// How the newest poll ended.
  public struct Condition: Sendable {
    /// One word: `up`, `timeout`, `loading`.
    public var state = "unknown"
    public var level = TopologyPage.Level.note
    /// Why it is not well; empty when it is.
    public var reason = ""
    /// When the server last answered, where what it said is not current; in seconds since the epoch.
    public var asOfSeconds: Double?

    public init() {}

    public init(_ state: String, _ level: TopologyPage.Level, reason: String, asOfSeconds: Double?) {
      (self.state, self.level, self.reason, self.asOfSeconds) = (state, level, reason, asOfSeconds)
    }
  }

  static let clientLimit = 25
  static let findingLimit = 50
  static let settingLimit = 60
  static let masterLimit = 100
  static let refreshSeconds = 10

  public var metricsPath: String
  public var name: String
  public var nowSeconds: Double
  public var condition = Condition()
  public var identity = Identity()
  public var figures: [Figure] = []
  /// What the drawings of ``figures`` cover, up to now.
  public var spanSeconds = 0.0
  public var slowLog: SlowLog?
  public var clients: [ClientName] = []
  /// Alerts that fire for it as well.
  public var findings: [TopologyPage.Finding] = []
  public var streams: [StreamRow] = []
  public var settings: [(name: String, value: String)] = []
  public var sentinel = Sentinel()
  public var events: [EventsPage.Event] = []
  /// What the page cannot show, such as that no history is kept; empty for nothing.
  public var notice = ""

  public init(_ name: String, metricsPath: String, nowSeconds: Double) {
    self.name = name
    self.metricsPath = metricsPath
    self.nowSeconds = nowSeconds
  }

  public func response() -> Response {
    var layout = Layout(title: clipped(name), content: content)
    layout.windowTitle = "\(condition.state): \(clipped(name, to: 60)) · Redline"
    layout.icon = icon
    layout.styles = Self.styles
    layout.navigation = Navigation(nil, metricsPath: metricsPath)
    layout.refreshSeconds = Self.refreshSeconds
    return layout.response()
  }

  private var icon: TopologyPage.State {
    switch max(condition.level, findings.filter { !$0.isPosture }.map(\.level).max() ?? .good) {
    case .grave: .critical
    case .warning: .degraded
    case .note: condition.level == .note ? .unknown : .healthy
    case .good: .healthy
    }
  }
}
