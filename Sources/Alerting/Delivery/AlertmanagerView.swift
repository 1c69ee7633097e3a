import Runtime

/// What one Alertmanager makes of the alerts that it has.
public struct AlertmanagerView: Sendable, Equatable {
  /// Why an alert is kept from everybody.
  public enum Mute: Sendable, Equatable {
    /// Somebody silenced it. `until` is when that ends, as Alertmanager writes it; what it does not say is empty.
    case silence(by: String, comment: String, until: String)
    /// An alert of that name stands for it; empty where that one is gone.
    case inhibition(by: String)
    /// A time interval of its route, by its name.
    case interval(String)
  }

  public struct Entry: Sendable, Equatable {
    /// The alert's, with those that were added on the way.
    public var labels: [String: String]
    /// The names of the receivers that its routes lead to.
    public var receivers: [String]
    /// Empty where they are told.
    public var mutes: [Mute]
  }

  /// Its address, without credentials.
  public let alertmanager: String
  /// Nil where it did not say; then ``problem`` has why.
  public let entries: [Entry]?
  public let problem: String

  public init(_ alertmanager: String, _ entries: [Entry]?, problem: String = "") {
    (self.alertmanager, self.entries, self.problem) = (alertmanager, entries, problem)
  }

  /// The alert of those labels: the entry that has all of them.
  public func entry(of labels: some Sequence<(name: String, value: String)>) -> Entry? {
    entries?.first { entry in labels.allSatisfy { entry.labels[$0.name] == $0.value } }
  }
}

/// Reads the answers of `GET /api/v2/alerts` and `GET /api/v2/silence/ID`. What is not as it should be is left out.
struct AlertmanagerAnswers {
  private let alerts: [JSONValue]

  init(alerts: JSONValue) { self.alerts = alerts.elements }

  /// Of the silences that the alerts name, the first few.
  func silenceIDs(limit: Int) -> [String] {
    var ids: [String] = []
    for id in alerts.flatMap({ Self.texts($0["status"]?["silencedBy"]) }) where !ids.contains(id) {
      guard ids.count < limit else { break }
      ids.append(id)
    }
    return ids
  }

  /// - Parameter silences: by ID.
  func entries(silences: [String: JSONValue]) -> [AlertmanagerView.Entry] {
    let names = Dictionary(
      alerts.compactMap { alert in
        alert["fingerprint"]?.string.map { ($0, Self.labels(alert)["alertname"] ?? "") }
      }, uniquingKeysWith: { first, _ in first })
    return alerts.map { alert in
      let status = alert["status"]
      let silenced = Self.texts(status?["silencedBy"]).map { id in
        let silence = silences[id]
        return AlertmanagerView.Mute.silence(
          by: silence?["createdBy"]?.string ?? "", comment: silence?["comment"]?.string ?? "",
          until: silence?["endsAt"]?.string ?? "")
      }
      let inhibited = Self.texts(status?["inhibitedBy"]).map { AlertmanagerView.Mute.inhibition(by: names[$0] ?? "") }
      let muted = Self.texts(status?["mutedBy"]).map { AlertmanagerView.Mute.interval($0) }
      return AlertmanagerView.Entry(
        labels: Self.labels(alert), receivers: alert["receivers"]?.elements.compactMap { $0["name"]?.string } ?? [],
        mutes: silenced + inhibited + muted)
    }
  }

  private static func labels(_ alert: JSONValue) -> [String: String] {
    Dictionary(
      alert["labels"]?.members.compactMap { member in member.value.string.map { (member.name, $0) } } ?? [],
      uniquingKeysWith: { first, _ in first })
  }

  private static func texts(_ list: JSONValue?) -> [String] { list?.elements.compactMap(\.string) ?? [] }
}

/// Asks the Alertmanagers at most every few seconds, however many pages want to know.
actor AlertmanagerViews {
  private static let lifetime = Duration.seconds(5)
  private var newest: (time: ContinuousClock.Instant, task: Task<[AlertmanagerView], Never>)?

  /// - Parameter clients: of those that are asked now; they are asked at the same time.
  func all(_ clients: [AlertmanagerClient]) async -> [AlertmanagerView] {
    if let newest, newest.time.duration(to: .now) < Self.lifetime { return await newest.task.value }
    let task = Task {
      await withTaskGroup { group in
        for client in clients { group.addTask { await client.view() } }
        var views: [AlertmanagerView] = []
        for await view in group { views.append(view) }
        return views.sorted { $0.alertmanager < $1.alertmanager }
      }
    }
    newest = (.now, task)
    return await task.value
  }
}
