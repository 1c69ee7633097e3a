/// A group of consumers of a watched stream, or a stream that has none, as a line of a table.
public struct StreamRow: Sendable {
  public var stream: String
  /// `db0`.
  public var database: String
  /// Empty for a stream without groups.
  public var group: String
  /// nil for what is not known.
  public var length: Double?
  /// Entries that are not yet delivered to the group.
  public var lag: Double?
  public var lagSeconds: Double?
  /// Entries that are delivered and not acknowledged, and how old the oldest of them is.
  public var pending: Double?
  public var oldestPendingSeconds: Double?
  public var consumers: Double?

  public init(stream: String, database: String, group: String) {
    (self.stream, self.database, self.group) = (stream, database, group)
  }

  private static let limit = 100

  /// With its heading; empty without rows.
  static func table(_ rows: [StreamRow]) -> HTML {
    guard !rows.isEmpty else { return "" }
    let ranked = rows.sorted {
      ($1.lagSeconds ?? -1, $1.lag ?? -1, $0.stream, $0.group) < (
        $0.lagSeconds ?? -1, $0.lag ?? -1, $1.stream, $1.group
      )
    }
    let hidden = rows.count - limit
    return """
      <h2>Streams</h2>
      <div class="table streams" tabindex="0"><table>
      <thead><tr><th scope="col">Stream</th><th scope="col">Group</th><th scope="col">Entries</th><th scope="col">Lag</th>\
      <th scope="col">Pending</th><th scope="col">Consumers</th></tr></thead>
      <tbody>
      \(HTML.joined(ranked.prefix(limit).map(\.html)))</tbody></table></div>
      \(html: hidden > 0 ? "<p class=\"dim\">\(hidden) further groups are not listed.</p>\n" : "")
      """
  }

  private var html: HTML {
    func text(_ value: Double?, _ seconds: Double? = nil) -> HTML {
      guard let value else { return "<span class=\"dim\">\(seconds.map { span($0) } ?? "–")</span>" }
      let time: HTML = seconds.map { $0 > 0 ? " <span class=\"dim\">\(span($0))</span>" : "" } ?? ""
      return "\(number(value))\(time)"
    }
    let place: HTML = database == "db0" ? "" : " <span class=\"dim\">\(clipped(database, to: 20))</span>"
    let group: HTML = group.isEmpty ? "<span class=\"dim\">no group</span>" : "\(clipped(group, to: 80))"
    return """
      <tr><td>\(clipped(stream, to: 80))\(place)</td><td>\(group)</td><td>\(text(length))</td><td>\(text(lag, lagSeconds))</td>\
      <td>\(text(pending, oldestPendingSeconds))</td><td>\(text(consumers))</td></tr>

      """
  }

  static let styles: HTML = """
    .streams thead { display: table-header-group; } .streams table, .streams tbody { display: table; width: 100%; }
    .streams tbody { display: table-row-group; } .streams tr { display: table-row; }
    .streams td, .streams td:first-child { display: table-cell; width: auto; white-space: nowrap; padding: .3rem .8rem .3rem 0; font-weight: 400;
      border-bottom: 1px solid var(--line); }
    """
}
