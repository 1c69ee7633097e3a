import Runtime

/// On the page of a workload's keys: what the watches over known patterns found, locks by how long they are held first.
public struct PatternsSection: Sendable {
  public struct HeldLock: Sendable {
    /// As the reader may see it; nil for nobody.
    public var name: String?
    public var seconds: Double
    /// Whether it was seen to be taken; else it is held at least so long.
    public var isWhole: Bool
    /// nil for one that never expires.
    public var leftSeconds: Double?

    public init(name: String?, seconds: Double, isWhole: Bool, leftSeconds: Double?) {
      (self.name, self.seconds, self.isWhole, self.leftSeconds) = (name, seconds, isWhole, leftSeconds)
    }
  }

  /// Locks that servers name as they change.
  public struct Holds: Sendable {
    /// The longest held first.
    public var rows: [HeldLock] = []
    public var heldCount: Int?
    public var heldLongCount: Int?
    /// In seconds; nil where no hold ended in the last hour.
    public var p50: Double?
    public var p99: Double?
    public var acquiredCount = 0
    public var expiredCount = 0
    public var shardCount = 1
    /// Shards on which a server names them now.
    public var followedCount = 0

    public init() {}
  }

  public struct Locks: Sendable {
    public var count: Int
    public var withoutTTLCount: Int
    public var overTTLCount: Int?
    /// nil where walks alone look for them.
    public var holds: Holds?

    public init(count: Int, withoutTTLCount: Int, overTTLCount: Int?) {
      (self.count, self.withoutTTLCount, self.overTTLCount) = (count, withoutTTLCount, overTTLCount)
    }
  }

  public struct Limit: Sendable {
    public var name: String
    public var keyCount: Int
    public var withoutTTLCount: Int
    public var earlyCount: Int?
    public var overRatio: Double?
    public var largest: Double?

    public init(_ name: String, keyCount: Int, withoutTTLCount: Int) {
      (self.name, self.keyCount, self.withoutTTLCount) = (name, keyCount, withoutTTLCount)
    }
  }

  public struct Requests: Sendable {
    public var keyCount: Int
    public var processingCount: Int
    public var stuckCount: Int
    public var withoutTTLCount: Int

    public init(keyCount: Int, processingCount: Int, stuckCount: Int, withoutTTLCount: Int) {
      (self.keyCount, self.processingCount) = (keyCount, processingCount)
      (self.stuckCount, self.withoutTTLCount) = (stuckCount, withoutTTLCount)
    }
  }

  public struct Redlock: Sendable {
    public var servers: [(name: String, isUp: Bool)]
    public var quorum: Int

    public init(servers: [(name: String, isUp: Bool)], quorum: Int) { (self.servers, self.quorum) = (servers, quorum) }
  }

  public var locks: Locks?
  public var limits: [Limit] = []
  public var requests: Requests?
  public var redlock: Redlock?
  /// Sentences about what is not shown.
  public var remarks: [String] = []

  public init() {}

  static let rowLimit = 20

  var content: HTML {
    """
    \(locks.map(Self.show) ?? "")\(redlock.map(Self.show) ?? "")\(limitTable)\(requests.map(Self.show) ?? "")\
    \(HTML.joined(remarks.map { "<p class=\"dim\">\(clipped($0, to: 300))</p>\n" }))
    """
  }

  /// `35 ms`; from a second on as elsewhere.
  private static func hold(_ seconds: Double) -> String {
    seconds < 1 ? "\(Int(clamping: (max(0, seconds) * 1000).rounded())) ms" : span(seconds)
  }

  private static func number(_ count: Int) -> String { Estimate.count(Double(count)) }
  private static func bad(_ count: Int, _ words: String) -> HTML {
    count > 0 ? "<b class=\"warning\">\(number(count)) \(words)</b>" : "none \(words)"
  }

  // MARK: Locks

  private static func show(_ locks: Locks) -> HTML {
    let over: HTML = locks.overTTLCount.map { ", \(bad(Int($0), "live longer than their contract"))" } ?? ""
    let unfollowed: HTML =
      "<p class=\"dim\">How long they are held is unknown: walks alone look for them (<code>watches.follow</code>).</p>\n"
    let holds = locks.holds.map(show) ?? unfollowed
    return """
      <h2>Locks</h2>
      <p>\(number(locks.count)) locks at the last walk: \(bad(locks.withoutTTLCount, "without TTL"))\(over).</p>
      \(holds)
      """
  }

  private static func show(_ holds: Holds) -> HTML {
    guard holds.followedCount > 0 else {
      return "<p class=\"dim\">How long they are held is unknown: no server names them now, the log says why.</p>\n"
    }
    let part: HTML =
      holds.followedCount < holds.shardCount
      ? " Known of \(number(holds.followedCount)) of \(number(holds.shardCount)) shards." : ""
    let long: HTML = holds.heldLongCount.map { ", \(bad($0, "for longer than their contract"))" } ?? ""
    let times: HTML =
      if let p50 = holds.p50 {
        "half of the holds took at most \(hold(p50))\(holds.p99.map { ", 99 of 100 at most \(hold($0))" } ?? "")"
      } else {
        "no hold ended that was seen to begin"
      }
    return """
      <p>\(holds.heldCount.map { "\(number($0))" } ?? "Unknown how many") are held now\(long). In the last hour \(number(holds.acquiredCount)) were taken, \
      \(bad(holds.expiredCount, "expired while held")); \(times).\(part)</p>
      \(table(holds.rows))
      """
  }

  private static func table(_ rows: [HeldLock]) -> HTML {
    guard !rows.isEmpty else { return "" }
    return """
      <div class="table keys" tabindex="0"><table>
      <thead><tr><th scope="col">Lock</th><th scope="col">Held for</th><th scope="col">TTL left</th></tr></thead>
      <tbody>
      \(HTML.joined(rows.prefix(rowLimit).map(row)))</tbody></table></div>

      """
  }

  private static func row(_ row: HeldLock) -> HTML {
    let name: HTML = row.name.map { "<code>\(clipped($0, to: 520))</code>" } ?? "<span class=\"dim\">not shown</span>"
    let left: HTML = row.leftSeconds.map { "\(hold($0))" } ?? "<b class=\"warning\">never expires</b>"
    return """
      <tr><th scope="row">\(name)</th>\
      <td><span class="phone">held for </span>\(row.isWhole ? "" : "at least ")\(hold(row.seconds))</td>\
      <td><span class="phone">TTL left </span>\(left)</td></tr>

      """
  }

  // MARK: Redlock

  private static func show(_ redlock: Redlock) -> HTML {
    let up = redlock.servers.count { $0.isUp }
    let dots: [HTML] = redlock.servers.prefix(rowLimit).map { server in
      """
      <li><span class="\(server.isUp ? "good" : "bad")" aria-hidden="true">●</span> \(clipped(server.name, to: 80)) \
      <span class="dim">\(server.isUp ? "up" : "not up")</span></li>

      """
    }
    let verdict: HTML =
      up >= redlock.quorum ? "clients get locks" : "<b class=\"bad\">no client gets a lock</b>"
    return """
      <h2>Redlock</h2>
      <p>\(number(up)) of \(number(redlock.servers.count)) servers are up, \(number(redlock.quorum)) are needed: \(verdict).</p>
      <ul class="foot">
      \(HTML.joined(dots))</ul>

      """
  }

  // MARK: Limits and requests

  private var limitTable: HTML {
    guard !limits.isEmpty else { return "" }
    return """
      <h2>Rate limits</h2>
      <div class="table keys" tabindex="0"><table>
      <thead><tr><th scope="col">Limit</th><th scope="col">Keys</th><th scope="col">Without TTL</th><th scope="col">Forgotten early</th>\
      <th scope="col">Windows with refused calls</th><th scope="col">Largest set</th></tr></thead>
      <tbody>
      \(HTML.joined(limits.prefix(Self.rowLimit).map(Self.row)))</tbody></table></div>

      """
  }

  private static func row(_ limit: Limit) -> HTML {
    let none: HTML = "<span class=\"dim\">–</span>"
    func count(_ value: Int?) -> HTML {
      guard let value else { return none }
      return value > 0 ? "<b class=\"warning\">\(number(value))</b>" : "0"
    }
    return """
      <tr><th scope="row">\(clipped(limit.name, to: 80))</th><td><span class="phone">keys </span>\(number(limit.keyCount))</td>\
      <td><span class="phone">without TTL </span>\(count(limit.withoutTTLCount))</td>\
      <td><span class="phone">early </span>\(count(limit.earlyCount))</td>\
      <td><span class="phone">refused in </span>\(limit.overRatio.map { "\(Estimate.percent($0))" } ?? none)</td>\
      <td><span class="phone">largest </span>\(limit.largest.map { "\(Estimate.count($0))" } ?? none)</td></tr>

      """
  }

  private static func show(_ requests: Requests) -> HTML {
    """
    <h2>Idempotency</h2>
    <p>\(number(requests.keyCount)) keys of requests: \(number(requests.processingCount)) are worked on, \(bad(requests.stuckCount, "for too long")), \
    \(bad(requests.withoutTTLCount, "without TTL")).</p>

    """
  }
}
