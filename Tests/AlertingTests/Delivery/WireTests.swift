import Runtime
import Testing

@testable import Alerting
@testable import HTTPClient

struct WireTests {
  /// What Prometheus 2.42 sent for two rules of the same kind, beside what goes out for them here.
  @Test func bodyIsThatOfPrometheus() throws {
    let starts = 1_795_835_815_632
    let expression =
      #"label_replace(vector(42.5), "odd", "a<b>&c\"d\\e\tü\u2028\u2029\x01\x7f/'", "", "") or vector(1) unless vector(1)"#
    func alert(_ labels: [String: String], _ annotations: [String: String], _ expression: String)
      -> OutgoingNotification
    {
      OutgoingNotification(
        labels: labels, annotations: annotations, startsAtMilliseconds: Int64(starts),
        endsAtMilliseconds: Int64(starts) + 14_000, isResolved: false,
        generatorURL: generatorURL(externalURL: "http://prom.example:9090/x", expression: expression))
    }
    let alerts = [
      alert(["alertname": "Plain", "zone": "eu"], [:], "vector(1) > 0"),
      alert(
        [
          "alertname": "Escapes", "odd": "a<b>&c\"d\\e\tü\u{2028}\u{2029}\u{1}\u{7F}/'", "sev": "page~*()!",
          "zone": "own",
        ],
        [
          "summary":
            "<b>42.5</b> & \"quoted\" \\ back\tTab\nline é 😀 \u{2028} \u{7F} \u{1} \u{8} \u{C} \r /",
          "empty": "", "zz": "last", "Aa": "first",
        ], expression),
    ]
    #expect(
      String(decoding: alertsBody(alerts), as: UTF8.self) + "\n" == (try Fixtures.text("wire/prometheus-2.42.json")))
  }

  @Test func anEmptyListIsOne() {
    #expect(alertsBody([]) == Array("[]".utf8))
  }

  @Test func noLinkWithoutAnOwnAddress() {
    #expect(generatorURL(externalURL: "", expression: "up") == "")
    let body = String(decoding: alertsBody([DeliveryQueueTests.alert("a")]), as: UTF8.self)
    #expect(!body.contains("generatorURL") && !body.contains("annotations"))
  }

  // MARK: Clocks

  static func response(date: String?, sent: Double, answered: Double) -> HTTPResponse {
    HTTPResponse(
      status: 200, headers: date.map { [(name: "date", value: $0)] } ?? [], body: [], sent: .init(seconds: sent),
      answered: .init(seconds: answered))
  }

  @Test func offsetIsMeasuredInTheMiddle() {
    let date = "Sun, 06 Nov 1994 08:49:37 GMT"
    let offset = ClockOffset.seconds(Self.response(date: date, sent: 784_111_476, answered: 784_111_478))
    #expect(offset == 300.5)
    #expect(ClockOffset.seconds(Self.response(date: "yesterday", sent: 0, answered: 0)) == nil)
    #expect(ClockOffset.seconds(Self.response(date: nil, sent: 0, answered: 0)) == nil)
  }

  @Test(
    arguments: [
      (nil, 0), (0.9, 0), (-1.9, 0), (2.4, 2000), (-300.2, -300_000), (1e12, 86_400_000), (-1e12, -86_400_000),
    ] as [(Double?, Int64)])
  func correctionHasItsBounds(offset: Double?, milliseconds: Int64) {
    #expect(ClockOffset.correctionMilliseconds(offset) == milliseconds)
  }

  /// A firing alert must not end early by the other clock, a resolved one not late; no end comes before its start.
  @Test func endsMoveWithTheOtherClock() {
    let firing = DeliveryQueueTests.alert("a", starts: 0, ends: 240_000)
    let resolved = DeliveryQueueTests.alert("a", starts: 0, ends: 400_000, isResolved: true)
    let short = DeliveryQueueTests.alert("a", starts: 0, ends: 100_000, isResolved: true)
    #expect(
      [300_000, 0, -300_000].map { firing.endsAtMilliseconds(aheadMilliseconds: $0) } == [540_000, 240_000, 240_000])
    #expect([300_000, -300_000].map { resolved.endsAtMilliseconds(aheadMilliseconds: $0) } == [400_000, 100_000])
    #expect(short.endsAtMilliseconds(aheadMilliseconds: -300_000) == 0)
  }

  /// An alert of before the clock was put back: it goes on firing with its beginning, and its end is one at once.
  @Test func beginningsInTheFutureAreTold() {
    let firing = DeliveryQueueTests.alert("a", starts: 7_000_000, ends: 240_000)
    #expect(firing.startsAtMilliseconds == 7_000_000)
    #expect(firing.endsAtMilliseconds(aheadMilliseconds: 0) > 7_000_000)
    let resolved = DeliveryQueueTests.alert("a", starts: 7_000_000, ends: 100_000, isResolved: true)
    #expect(resolved.startsAtMilliseconds == 100_000)
    #expect(resolved.endsAtMilliseconds(aheadMilliseconds: 0) == 100_000)
    #expect(resolved.key == firing.key)
  }

  @Test func pausesDoubleUpToTheirLimit() {
    var backoff = Backoff(resendSeconds: 60)
    #expect((0..<8).map { _ in backoff.nextSeconds { 1 } } == [0.25, 0.5, 1, 2, 4, 8, 15, 15])
    backoff.reset()
    #expect(backoff.nextSeconds { 1 } == 0.25)
    #expect(Backoff(resendSeconds: 0.1).limitSeconds == 0.25)
  }
}
