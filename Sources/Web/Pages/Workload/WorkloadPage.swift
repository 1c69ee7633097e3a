/// The page at `/workload/NAME`: one incident in one view, with figures, events and alerts on one axis of time.
public struct WorkloadPage: Sendable {
  /// The spans that can be chosen.
  public enum Span: String, Sendable, CaseIterable {
    case quarter = "15m"
    case hour = "1h"
    case sixHours = "6h"
    case day = "24h"

    public var seconds: Double {
      switch self {
      case .quarter: 900
      case .hour: 3600
      case .sixHours: 6 * 3600
      case .day: 86_400
      }
    }
  }

  public struct Figure: Sendable {
    public var title: String
    public var series: TimeSeries
    public var objective: Double?
    /// Beside the newest value, such as the time that it is a mean of; empty for nothing.
    public var note = ""

    public init(_ title: String, _ series: TimeSeries, objective: Double? = nil, note: String = "") {
      self.title = title
      self.series = series
      self.objective = objective
      self.note = note
    }
  }

  static let eventLimit = 50
  static let laneLimit = 20

  public var metricsPath: String
  public var workload: TopologyPage.Workload
  public var nowSeconds: Double
  public var span = Span.hour
  public var figures: [Figure] = []
  /// Alerts that fired and windows that were open, on the axis of the figures.
  public var lanes: [Lane] = []
  public var streams: [StreamRow] = []
  public var forecast: Forecast?
  /// Of the span, the newest first.
  public var events: [EventsPage.Event] = []
  public var receivers: [Receiver] = []
  /// What the page cannot show; empty for nothing.
  public var notice = ""

  public init(_ workload: TopologyPage.Workload, metricsPath: String, nowSeconds: Double) {
    self.workload = workload
    self.metricsPath = metricsPath
    self.nowSeconds = nowSeconds
  }

  public func response() -> Response {
    var layout = Layout(title: clipped(workload.name), content: content)
    layout.windowTitle = "\(workload.state.rawValue): \(clipped(workload.name, to: 60)) · Redline"
    layout.icon = workload.state
    layout.styles = Self.styles
    layout.navigation = Navigation(nil, metricsPath: metricsPath)
    layout.refreshSeconds = TopologyPage.refreshSeconds
    return layout.response()
  }

  private var content: HTML {
    var card = WorkloadCard(workload, now: nowSeconds)
    card.isOpen = true
    var room = (nodes: TopologyPage.nodeLimit, runbooks: TopologyPage.runbookLimit)
    return """
      \(FleetSentence([workload.standing]).html)\(Receiver.banner(receivers, now: nowSeconds))\(WorkloadCard.heads(of: workload))<div class="workloads">
      \(card.html(&room))</div>
      <h2>Timeline</h2>
      \(chooser)\(html: notice.isEmpty ? "" : "<p class=\"dim\">\(notice)</p>\n")\(warning)\(charts)
      \(StreamRow.table(streams))<h2>Events of this span</h2>
      \(eventList)
      """
  }

  private var chooser: HTML {
    let path = "/workload/\(pathEncoded(workload.name))"
    let links: [HTML] = Span.allCases.map { one in
      let mark: HTML = one == span ? " aria-current=\"true\"" : ""
      return "<li><a href=\"\(path)?range=\(one.rawValue)\"\(mark)>\(one.rawValue)</a></li>\n"
    }
    return "<ul class=\"filters\">\n\(HTML.joined(links))</ul>\n"
  }

  private var warning: HTML {
    forecast.map { forecast in
      """
      <p><b class="warning">Memory is full in \(Web.span(forecast.seconds))</b> if it goes on as in the last \
      \(Web.span(forecast.fittedSeconds)).</p>

      """
    } ?? ""
  }

  private var charts: HTML {
    guard !figures.isEmpty || !lanes.isEmpty else { return "" }
    let start = nowSeconds - span.seconds
    let marks = EventsPage.marks(of: events, from: start, seconds: span.seconds)
    let charts: [HTML] = figures.map { figure in
      Chart(
        title: figure.title, series: figure.series, objective: figure.objective, marks: marks, note: figure.note
      ).html
    }
    return """
      <div class="charts">
      \(HTML.joined(lanes.prefix(Self.laneLimit).map(\.html)))\(HTML.joined(charts))\(Chart.ticks(from: start, seconds: span.seconds))</div>
      <p class="dim foot">Times in UTC. Bars are alerts that fired and windows that were open; lines across are objectives; lines \
      down are what happened, listed below.</p>

      """
  }

  private var eventList: HTML {
    guard !events.isEmpty else { return "<p class=\"dim\">none</p>" }
    let hidden = events.count - Self.eventLimit
    let nodes = Set(workload.groups.flatMap(\.nodes).map(\.name))
    let rows: [HTML] = events.prefix(Self.eventLimit).map { $0.html(now: nowSeconds, linkedNodes: nodes) }
    return """
      <ol class="events">
      \(HTML.joined(rows))</ol>
      \(html: hidden > 0 ? "<p class=\"dim\">\(hidden) further events are not listed.</p>\n" : "")\
      <p><a href="/events?workload=\(pathEncoded(workload.name))">All events</a> · \
      <a href="/checks?workload=\(pathEncoded(workload.name))">What is verified</a></p>

      """
  }

  private static let styles: HTML = """
    \(TopologyPage.styles)
    \(EventsPage.eventStyles)
    \(Chart.styles)
    \(Lane.styles)
    \(StreamRow.styles)
    """
}
