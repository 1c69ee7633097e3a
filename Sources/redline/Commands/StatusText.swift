import API
import Runtime
import Web

/// How a fleet stands, as `redline status` prints it: made of the answer of `/api/v1/fleet`.
struct StatusText {
  private let page: TerminalText
  private let now: WallTime

  /// Workloads that are well are a line each; of the others, what is found and which servers are not well.
  private static let findingLimit = 12
  private static let memberLimit = 20

  init(now: WallTime, paint: Paint = Paint(), columns: Int = 80) {
    self.now = now
    page = TerminalText(paint: paint, columns: columns)
  }

  /// - Parameter data: the answer's `data`.
  func text(_ data: JSONValue) -> String {
    var lines: [String] = []
    if let summary = data["summary"]?.string { lines += page.wrapped(summary) + [""] }
    for receiver in data["undelivered"]?.elements ?? [] {
      lines.append(
        page.paint.level(page.cut("Alerts are not delivered to \(receiver["alertmanager"]?.string ?? "?")"), "critical")
      )
    }
    for workload in Self.workloads(data) { lines += self.lines(workload) }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The worst first, by name among equals.
  static func workloads(_ data: JSONValue) -> [JSONValue] {
    func name(_ workload: JSONValue) -> String { workload["name"]?.string ?? "" }
    return (data["workloads"]?.elements ?? []).sorted { (state($1), name($0)) < (state($0), name($1)) }
  }

  /// A state of another version is not known here.
  static func state(_ workload: JSONValue) -> TopologyPage.State {
    workload["state"]?.string.flatMap { TopologyPage.State(rawValue: $0) } ?? .unknown
  }

  /// Of the worst workload.
  static func exitStatus(_ data: JSONValue) -> Int32 {
    switch workloads(data).first.map(state) ?? .unknown {
    case .healthy: 0
    case .degraded: 1
    case .critical: 2
    case .unknown: 3
    }
  }

  // MARK: Lines

  private func lines(_ workload: JSONValue) -> [String] {
    let state = workload["state"]?.string ?? "unknown"
    let head = "\(padded(state, 9)) \(padded(workload["name"]?.string ?? "?", 16)) \(traffic(workload))"
    var lines = [page.paint.level(String(page.cut(head).prefix(9)), state) + page.cut(head).dropFirst(9)]
    if let change = workload["change"], let until = change["until"]?.string {
      // Of 2026-11-30T14:30:05.000Z, the time of day.
      lines += page.wrapped(
        "  In maintenance until \(until.dropFirst(11).prefix(8)) UTC: \(change["text"]?.string ?? "")")
    }
    guard state != "healthy" else { return lines }
    if state == "critical", let text = workload["degraded"]?["text"]?.string {
      lines += page.wrapped("  While Redis is lost: \(text)")
    }
    var found = (workload["alerts"]?.elements ?? []).map { alert in
      (
        level: alert["severity"]?.string ?? "", since: alert["since"]?.string,
        text: "\(alert["name"]?.string ?? ""): \(alert["summary"]?.string ?? "")"
      )
    }
    found += (workload["findings"]?.elements ?? []).filter { $0["group"]?.string == "health" }.map { finding in
      (level: finding["severity"]?.string ?? "", since: finding["since"]?.string, text: finding["text"]?.string ?? "")
    }
    found += (workload["unknown"]?.elements ?? []).filter { $0["group"]?.string == "health" }.map { blindness in
      (level: "unknown", since: nil, text: "\(blindness["check"]?.string ?? ""): \(blindness["reason"]?.string ?? "")")
    }
    let order = ["critical", "unknown", "warning"]
    let ranked = found.enumerated().sorted { one, other in
      (order.firstIndex(of: one.element.level) ?? 9, one.offset) < (
        order.firstIndex(of: other.element.level) ?? 9, other.offset
      )
    }.map(\.element)
    for one in ranked.prefix(Self.findingLimit) {
      let age = page.age(one.since, now: now)
      lines.append(
        "  " + page.paint.level(padded(one.level, 8), one.level) + " "
          + page.cut("\(padded(age, 7)) \(one.text)", by: 11))
    }
    if ranked.count > Self.findingLimit { lines.append("  \(ranked.count - Self.findingLimit) more are not listed") }
    let sick = (workload["members"]?.elements ?? []).filter {
      $0["state"]?.string != "up" && $0["standing"]?.string != "ghost"
    }
    for member in sick.prefix(Self.memberLimit) {
      let name = member["instance"]?.string ?? "?"
      let reason = member["reason"]?.string.map { ": \($0)" } ?? ""
      lines.append(page.cut("  \(member["role"]?.string ?? "") \(name) \(member["state"]?.string ?? "")\(reason)"))
    }
    if sick.count > Self.memberLimit { lines.append("  \(sick.count - Self.memberLimit) more servers are not listed") }
    return lines
  }

  /// `1.2k/s  hit 93 %  p99 1.2 ms  mem 43 %  lag 0.1 s  12 clients`; what is not known is left out.
  private func traffic(_ workload: JSONValue) -> String {
    let traffic = workload["traffic"]
    func number(_ name: String) -> Double? { traffic?[name]?.number }
    var words: [String] = []
    let present = workload["membersPresent"]?.number.map { "\(Int(clamping: $0))" } ?? "?"
    words.append("\(present)\(workload["membersExpected"]?.number.map { "/\(Int(clamping: $0))" } ?? "") up")
    if let rate = number("operationsPerSecond") { words.append(TimeSeries.Unit.perSecond.words(rate)) }
    if let ratio = number("hitRatio") { words.append("hit \(TimeSeries.Unit.ratio.words(ratio))") }
    if let seconds = number("latencyP99Seconds") { words.append("p99 \(TimeSeries.Unit.seconds.words(seconds))") }
    if let ratio = number("memoryUsedRatio") { words.append("mem \(TimeSeries.Unit.ratio.words(ratio))") }
    if let seconds = number("lagSeconds") { words.append("lag \(TimeSeries.Unit.seconds.words(seconds))") }
    if let rate = number("evictionsPerSecond"), rate > 0 {
      words.append("evicts \(TimeSeries.Unit.perSecond.words(rate))")
    }
    if let count = number("clients") { words.append("\(TimeSeries.Unit.count.words(count)) clients") }
    return words.joined(separator: "  ")
  }
}
