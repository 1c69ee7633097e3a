import Runtime

/// On the page of a workload's keys: its largest keys, and how far passes over every key have come.
public struct LargeKeys: Sendable {
  public struct Row: Sendable {
    /// As the reader may see it; nil for nobody.
    public var name: String?
    /// Empty where that is not known.
    public var type: String
    public var bytes: Double
    /// Whether all elements were counted.
    public var isExact: Bool
    /// Elements of a collection, bytes of a string; nil where that is not known.
    public var elementCount: Int?
    public var life: Life
    public var server: String
    public var database: Int
    /// Of maxmemory of its server; nil without.
    public var maxMemoryRatio: Double?

    public init(
      name: String?, type: String, bytes: Double, isExact: Bool, elementCount: Int?, life: Life, server: String,
      database: Int, maxMemoryRatio: Double?
    ) {
      (self.name, self.type, self.bytes, self.isExact) = (name, type, bytes, isExact)
      (self.elementCount, self.life, self.server) = (elementCount, life, server)
      (self.database, self.maxMemoryRatio) = (database, maxMemoryRatio)
    }
  }

  public enum Life: Sendable {
    case unknown, endless
    /// In seconds since the epoch.
    case until(Double)
  }

  public var rows: [Row] = []
  /// From so many bytes on a key counts.
  public var bigKeyBytes = 1 << 20
  /// Big keys and what they take; nil until every key was looked at once.
  public var bigCount: Int?
  public var bigKeysBytes: Double?
  /// Of the pass under way; nil where none is.
  public var progressRatio: Double?
  /// In seconds since the epoch; nil until every shard has had a whole pass.
  public var endedSeconds: Double?
  public var tookSeconds: Double?
  /// Of the memory of keys, the share of those that never expire; nil where that is not known.
  public var foreverRatio: Double?
  /// What stands in the way, and what else is to be known: sentences.
  public var remarks: [String] = []
  public var nowSeconds: Double

  public init(nowSeconds: Double) { self.nowSeconds = nowSeconds }

  static let rowLimit = 20
  private static let remarkLimit = 8

  var content: HTML {
    """
    <h2>Largest keys</h2>
    \(counted)\(table)<ul class="foot">
    <li>\(progress)</li>
    \(HTML.joined(remarks.prefix(Self.remarkLimit).map { "<li>\(clipped($0, to: 300))</li>\n" }))\(forever)</ul>

    """
  }

  private var limit: String { size(bigKeyBytes) }

  private var counted: HTML {
    guard let bigCount else { return "" }
    guard bigCount > 0 else { return "<p>No key takes \(limit) or more.</p>\n" }
    let memory = bigKeysBytes.map { ", which take \(size(Int(clamping: $0)))" } ?? ""
    return
      "<p>\(Estimate.count(Double(bigCount))) \(bigCount == 1 ? "key" : "keys") of at least \(limit)\(memory).</p>\n"
  }

  private var table: HTML {
    guard !rows.isEmpty else { return "" }
    return """
      <div class="table keys" tabindex="0"><table>
      <thead><tr><th scope="col">Key</th><th scope="col">Type</th><th scope="col">Memory</th><th scope="col">Elements</th>\
      <th scope="col">TTL left</th><th scope="col">Server</th></tr></thead>
      <tbody>
      \(HTML.joined(rows.prefix(Self.rowLimit).map(row)))</tbody></table></div>

      """
  }

  private func row(_ row: Row) -> HTML {
    let name: HTML = row.name.map { "<code>\(clipped($0, to: 520))</code>" } ?? "<span class=\"dim\">not shown</span>"
    let share =
      row.maxMemoryRatio.map { ratio in ratio >= 0.001 ? ", \(Estimate.percent(ratio)) of maxmemory" : "" } ?? ""
    let database = row.database == 0 ? "" : ", db\(row.database)"
    return """
      <tr><th scope="row">\(name)</th>\
      <td><span class="phone">type </span>\(row.type.isEmpty ? Self.unknown : "\(clipped(row.type, to: 40))")</td>\
      <td>\(row.isExact ? "" : "about ")\(size(Int(clamping: row.bytes)))\(share)</td>\
      <td><span class="phone">elements </span>\(elements(row))</td>\
      <td><span class="phone">TTL left </span>\(life(row.life))</td>\
      <td><span class="phone">on </span>\(clipped(row.server, to: 80))\(database)</td></tr>

      """
  }

  private static let unknown: HTML = "<span class=\"dim\">unknown</span>"

  private func elements(_ row: Row) -> HTML {
    guard let count = row.elementCount else { return Self.unknown }
    return row.type == "string" ? "<span class=\"dim\">one text</span>" : "\(Estimate.count(Double(count)))"
  }

  private func life(_ life: Life) -> HTML {
    switch life {
    case .unknown: Self.unknown
    case .endless: "never expires"
    case .until(let seconds): "\(span(max(0, seconds - nowSeconds)))"
    }
  }

  private var progress: HTML {
    let last: HTML =
      endedSeconds.map { seconds in
        let took = tookSeconds.map { ", took \(span($0))" } ?? ""
        return
          "Every key was looked at: the oldest of the last passes ended \(moment(seconds, now: nowSeconds))\(took)."
      } ?? "Not every key was looked at yet: larger ones may be missing."
    guard let progressRatio else { return last }
    return "\(last) The pass under way has met \(percent(progressRatio)) of the keys."
  }

  private var forever: HTML {
    foreverRatio.map { ratio in
      "<li>Keys that never expire hold \(Estimate.percent(ratio)) of the memory of keys; each large key was asked, and one in eight of the others.</li>\n"
    } ?? ""
  }
}
