import API
import Config
import Runtime
import Web

/// What `redline incidents` prints of answers of `/api/v1/alerts`: a line for each alert that began or ended between two.
struct IncidentTracker {
  /// Where people find the daemon, without a slash at the end.
  let url: String
  var paint = Paint()

  private struct Incident {
    let labels: [String: String]
    let summary: String
    let since: WallTime?

    /// Nil for what does not fire, and for what tells nobody anything, such as the watchdog.
    init?(_ alert: JSONValue) {
      labels = Dictionary(
        (alert["labels"]?.members ?? []).map { ($0.name, $0.value.string ?? "") },
        uniquingKeysWith: { first, _ in first })
      guard alert["state"]?.string == "firing", labels["severity"] != "none" else { return nil }
      summary = alert["annotations"]?["summary"]?.string ?? ""
      since = alert["activeAt"]?.string.flatMap { RFC3339.milliseconds($0) }.map { WallTime(epochMs: $0) }
    }

    var name: String { labels["alertname"] ?? "?" }
  }

  /// Nil before the first answer.
  private var known: [[String: String]: Incident]?

  init(url: String, paint: Paint = Paint()) {
    self.url = url
    self.paint = paint
  }

  /// - Parameter data: the answer's `data`.
  mutating func lines(_ data: JSONValue, now: WallTime) -> [String] {
    let listed = (data["alerts"]?.elements ?? []).compactMap { Incident($0) }
    let firing = Dictionary(listed.map { ($0.labels, $0) }, uniquingKeysWith: { first, _ in first })
    defer { known = firing }
    guard let known else {
      return listed.isEmpty
        ? ["\(Self.clock(now))  No alert fires."] : Self.ordered(firing.values).map { began($0, now) }
    }
    return Self.ordered(known.values.filter { firing[$0.labels] == nil }).map { ended($0, now) }
      + Self.ordered(firing.values.filter { known[$0.labels] == nil }).map { began($0, now) }
  }

  /// The oldest first.
  private static func ordered(_ incidents: some Collection<Incident>) -> [Incident] {
    incidents.sorted { one, other in
      (one.since?.seconds ?? 0, one.name, one.summary) < (other.since?.seconds ?? 0, other.name, other.summary)
    }
  }

  private func began(_ incident: Incident, _ now: WallTime) -> String {
    let duration = duration(incident, now).map { ", began \($0) ago" } ?? ""
    let what = incident.summary.isEmpty ? incident.name : incident.summary
    return line(
      incident.labels["severity"] ?? "alert", workload(incident), "\(what)\(duration): \(page(incident))", now)
  }

  private func ended(_ incident: Incident, _ now: WallTime) -> String {
    let duration = duration(incident, now).map { ", after \($0)" } ?? ""
    let place = incident.labels["instance"].map { " of \($0)" } ?? ""
    return line("over", workload(incident), "\(incident.name)\(place)\(duration)", now)
  }

  private func duration(_ incident: Incident, _ now: WallTime) -> String? {
    incident.since.map { TimeSeries.Unit.seconds.words(max(0, (now - $0).rounded())) }
  }

  private func workload(_ incident: Incident) -> String { incident.labels["workload"] ?? "-" }

  private func page(_ incident: Incident) -> String {
    incident.labels["workload"].map { "\(url)/workload/\($0.percentEncoded())" } ?? "\(url)/alerts"
  }

  /// `03:12:04 UTC`
  static func clock(_ now: WallTime) -> String { "\("\(Timestamp(epochMs: now.epochMs))".dropFirst(11).prefix(8)) UTC" }

  private func line(_ level: String, _ workload: String, _ text: String, _ now: WallTime) -> String {
    "\(Self.clock(now))  \(paint.level(padded(oneLine(level), 8), level))  \(padded(oneLine(workload), 8))  \(oneLine(text))"
  }
}
