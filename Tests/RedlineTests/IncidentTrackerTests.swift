import Runtime
import TestSupport
import Testing

@testable import redline

/// What `redline incidents` prints of answers of `/api/v1/alerts`.
@Suite struct IncidentTrackerTests {
  private static let down = #"""
    {"labels":{"alertname":"RedisDown","severity":"critical","workload":"sessions","instance":"sessions-1"},"state":"firing",
    "annotations":{"summary":"sessions-1 of sessions is down:\u001b[2J connect"},"activeAt":"1970-01-01T00:16:30Z"}
    """#
  private static let lag = #"""
    {"labels":{"alertname":"RedisReplicationLagHigh","severity":"warning","instance":"10.0.0.1:6379"},"state":"firing",
    "annotations":{"summary":"10.0.0.1:6379 is 30 s behind"},"activeAt":"1970-01-01T00:16:00Z"}
    """#
  private static let quiet = [
    #"{"labels":{"alertname":"RedlineWatchdog","severity":"none"},"state":"firing","annotations":{"summary":"w"}}"#,
    #"{"labels":{"alertname":"RedisDown","severity":"critical"},"state":"pending","annotations":{"summary":"p"}}"#,
  ]

  private func data(_ alerts: [String]) throws -> JSONValue {
    try JSONReader.value(Array(#"{"alerts":[\#(alerts.joined(separator: ","))]}"#.utf8))
  }

  @Test func whatBeginsAndWhatEndsIsALineEach() throws {
    var tracker = IncidentTracker(url: "http://r:1")
    #expect(tracker.lines(try data(Self.quiet), now: 1000) == ["00:16:40 UTC  No alert fires."])
    #expect(
      tracker.lines(try data(Self.quiet + [Self.down, Self.lag]), now: 1002) == [
        "00:16:42 UTC  warning   -         10.0.0.1:6379 is 30 s behind, began 42 s ago: http://r:1/alerts",
        "00:16:42 UTC  critical  sessions  sessions-1 of sessions is down:\u{FFFD}[2J connect, began 12 s ago: "
          + "http://r:1/workload/sessions",
      ])
    #expect(tracker.lines(try data(Self.quiet + [Self.lag, Self.down]), now: 1004).isEmpty)
    #expect(
      tracker.lines(try data([Self.lag]), now: 1021.4) == [
        "00:17:01 UTC  over      sessions  RedisDown of sessions-1, after 31 s"
      ])
  }

  @Test func whatFiresAtFirstIsTold() throws {
    var tracker = IncidentTracker(url: "http://r:1")
    let lines = tracker.lines(try data([Self.down]), now: 1000)
    #expect(lines.count == 1 && lines[0].hasPrefix("00:16:40 UTC  critical  sessions  sessions-1"))
  }

  @Test func coloursAreForTerminals() throws {
    var paint = Paint()
    paint.hasColours = true
    var tracker = IncidentTracker(url: "http://r:1", paint: paint)
    #expect(tracker.lines(try data([Self.down]), now: 1000)[0].contains("\u{1B}[1;31mcritical\u{1B}[0m"))
  }
}
