/// The page at `/notifications`: whether alerts reach each Alertmanager, and which of them it was sent, the newest first.
public struct NotificationsPage: Sendable {
  /// One alert that an Alertmanager was sent, or should have been. Times are seconds since the epoch.
  public struct Notification: Sendable {
    public var seconds: Double
    public var alert: String
    /// Sorted by name, without `alertname`.
    public var labels: [(name: String, value: String)]
    /// `firing` or `resolved`.
    public var state: String
    /// When the alert began to fire.
    public var startSeconds: Double
    /// Where it was sent, without credentials.
    public var receiver: String
    /// `accepted`, or what became of it instead.
    public var outcome: String

    public init(
      seconds: Double, alert: String, labels: [(name: String, value: String)], state: String, startSeconds: Double,
      receiver: String, outcome: String
    ) {
      self.seconds = seconds
      self.alert = alert
      self.labels = labels
      self.state = state
      self.startSeconds = startSeconds
      self.receiver = receiver
      self.outcome = outcome
    }

    var level: TopologyPage.Level { outcome == "accepted" ? .good : .grave }
  }

  public static let pageSize = 50
  /// Pages that can be turned to.
  public static let pageLimit = 100

  public var metricsPath: String
  public var receivers: [Receiver]
  /// Those of one page, the newest first.
  public var notifications: [Notification]
  /// Only of this alert; empty for all.
  public var alert: String
  /// From 1.
  public var page: Int
  public var hasMore: Bool
  public var nowSeconds: Double
  /// Why there are none, such as that no storage is configured; empty for nothing.
  public var notice = ""

  public init(
    metricsPath: String, receivers: [Receiver], notifications: [Notification], alert: String, page: Int, hasMore: Bool,
    nowSeconds: Double
  ) {
    self.metricsPath = metricsPath
    self.receivers = receivers
    self.notifications = notifications
    self.alert = alert
    self.page = page
    self.hasMore = hasMore
    self.nowSeconds = nowSeconds
  }

  public func response() -> Response {
    var layout = Layout(title: "Notifications", content: content)
    layout.styles = "\n\(EventsPage.eventStyles)\n\(AlertsPage.cardStyles)"
    layout.navigation = Navigation(.alerts, metricsPath: metricsPath)
    return layout.response()
  }

  // MARK: Content

  private var content: HTML {
    """
    <p class="dim screen">As of \(utc(nowSeconds)) UTC. <a href="/alerts">Alerts</a></p>
    <h2>Alertmanagers</h2>
    \(receiverList)<h2>Who was told what</h2>
    <p class="dim">The first notice of each alert, its end, and what was not delivered, once for each outage; repeats are not listed.</p>
    \(choice)\(list)\(pages)
    """
  }

  private var receiverList: HTML {
    guard !receivers.isEmpty else {
      return "<p class=\"dim\">None is configured: redline tells nobody of alerts.</p>\n"
    }
    let items: [HTML] = receivers.prefix(100).map { receiver in
      let success: HTML =
        receiver.lastSuccessSeconds.map { "It last accepted alerts at \(moment($0, now: nowSeconds))" }
        ?? "It has accepted no alerts yet"
      let waiting: HTML =
        receiver.waitingCount == 0
        ? "" : "; \(receiver.waitingCount) \(receiver.waitingCount == 1 ? "alert waits" : "alerts wait")"
      let trouble = receiver.trouble(now: nowSeconds)
      let style = trouble != nil ? "bad" : receiver.lastSuccessSeconds == nil ? "note" : "good"
      return
        "<li class=\"\(style)\">\(trouble ?? "<b>\(clipped(receiver.address))</b>")<br>\(success)\(waiting).</li>\n"
    }
    return "<ul class=\"findings\">\n\(HTML.joined(items))</ul>\n"
  }

  private var choice: HTML {
    alert.isEmpty
      ? "" : "<p>Only of <b>\(clipped(alert))</b>. <a href=\"/notifications\">Of all alerts</a></p>\n"
  }

  private var list: HTML {
    guard !notifications.isEmpty else {
      return "<p class=\"dim\">\(notice.isEmpty ? "No notification is kept that matches." : notice)</p>\n"
    }
    let items: [HTML] = notifications.prefix(Self.pageSize).map(item)
    return "<ol class=\"events\">\n\(HTML.joined(items))</ol>\n"
  }

  private func item(_ one: Notification) -> HTML {
    let labels: [HTML] = one.labels.prefix(40).map {
      "<li class=\"tag\">\(clipped($0.name, to: 80))=\(clipped($0.value, to: 120))</li>\n"
    }
    return """
      <li class="\(one.level.style)"><p>\(moment(one.seconds, now: nowSeconds)) to \(clipped(one.receiver))</p>
      <p><b><a href="\(address(one.alert, 1))">\(clipped(one.alert, to: 120))</a></b> \(clipped(one.state, to: 40)): \
      <span class="state">\(clipped(one.outcome, to: 400))</span> \
      <span class="dim">it began at \(utc(one.startSeconds)) UTC</span></p>
      <ul class="labels">
      \(HTML.joined(labels))</ul></li>

      """
  }

  private var pages: HTML {
    let newer: HTML =
      page > 1 ? "<li><a rel=\"prev\" href=\"\(address(alert, page - 1))\">Newer</a></li>\n" : ""
    let older: HTML =
      hasMore && page < Self.pageLimit
      ? "<li><a rel=\"next\" href=\"\(address(alert, page + 1))\">Older</a></li>\n" : ""
    guard newer != "" || older != "" else { return "" }
    return "<nav aria-label=\"Pages of notifications\"><ul class=\"filters\">\n\(newer)\(older)</ul></nav>\n"
  }

  private func address(_ alert: String, _ page: Int) -> String {
    let items = [
      alert.isEmpty ? nil : "alert=\(pathEncoded(alert))", page > 1 ? "page=\(page)" : nil,
    ].compactMap { $0 }
    return "/notifications" + (items.isEmpty ? "" : "?\(items.joined(separator: "&"))")
  }
}
