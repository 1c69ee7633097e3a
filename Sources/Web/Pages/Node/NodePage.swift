/// The page at `/node/NAME`: one server, how it does and did, and what is known to be wrong with it.
public struct NodePage: Sendable {
  /// A number that people ask for first.
  public struct Figure: Sendable {
    public var title: String
    /// With its unit; empty where it is not known.
    public var value: String
    public var note = ""
    public var level = TopologyPage.Level.good
    public var series: TimeSeries?
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
  static let findingLimit = 25
  static let alertLimit = 25
  static let refreshSeconds = 10

  public var metricsPath: String
  public var name: String
  public var nowSeconds: Double
  public var condition = Condition()
  /// Role, workload, version, uptime, address: in words.
  public var facts: [(name: String, value: String)] = []
  public var figures: [Figure] = []
  public var slowLog: SlowLog?
  public var clients: [ClientName] = []
  public var findings: [TopologyPage.Finding] = []
  public var alerts: [(rule: String, hasRunbook: Bool, alert: AlertsPage.Alert)] = []
  public var events: [EventsPage.Event] = []
  /// What the page cannot show, such as that no history is kept; empty for nothing.
  public var notice = ""
  public var isRefreshed = false

  public init(_ name: String, metricsPath: String, nowSeconds: Double) {
    self.name = name
    self.metricsPath = metricsPath
    self.nowSeconds = nowSeconds
  }

  public func response() -> Response {
    var layout = Layout(title: clipped(name), content: content)
    layout.styles = Self.styles
    layout.navigation = Navigation(nil, metricsPath: metricsPath)
    layout.refreshSeconds = isRefreshed ? Self.refreshSeconds : nil
    return layout.response()
  }
}
