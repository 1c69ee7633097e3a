import Config
import Logging
import Metrics
import NIOCore
import NIOPosix
import PromQL
import Runtime
import Storage
import TestSupport
import Testing

@testable import Alerting

/// Delivery over real connections to servers that behave as each test says.
@Suite(.timeLimit(.minutes(1))) struct NotifierTests {
  /// An Alertmanager that answers as told and remembers the alerts it took.
  final class Fake: Sendable {
    let server: ScriptedServer
    private let state: Lock<(bodies: [String], answers: [ScriptedServer.Answer])>

    /// - Parameter answers: to the first POSTs, in their order; later ones get 200.
    init(_ answers: [ScriptedServer.Answer] = [], date: String? = nil, bad: String? = nil) async throws {
      let state = Lock((bodies: [String](), answers: answers))
      self.state = state
      server = try await ScriptedServer { request in
        let headers = date.map { [(name: "Date", value: $0)] } ?? []
        guard request.method == "POST" else { return .response(200, headers: headers) }
        let body = String(decoding: request.body, as: UTF8.self)
        return state.withLock { state in
          if !state.answers.isEmpty { return state.answers.removeFirst() }
          if let bad, body.contains(bad) { return .response(400, headers: headers, body: "bad label") }
          state.bodies.append(body)
          return .response(200, headers: headers)
        }
      }
    }

    var url: String { "http://127.0.0.1:\(server.port)" }
    var bodies: [String] { state.withLock { $0.bodies } }
    var text: String { bodies.joined() }
  }

  static func config(_ urls: [String], _ lines: String...) throws -> AlertingConfig {
    try config(entries: urls.map { "{url: \"\($0)\", timeout: 500ms}" }, lines)
  }

  static func config(entries: [String], _ lines: [String] = []) throws -> AlertingConfig {
    let text = """
      alerting:
        alertmanagers: [\(entries.joined(separator: ", "))]
      \(lines.map { "  \($0)\n" }.joined())
      workloads: [{name: w, kind: cache, seeds: [a]}]
      """
    return try #require(try FleetConfig.parse(Array(text.utf8), file: "redline.yml", watches: []).alerting)
  }

  static func notifier(
    _ config: AlertingConfig?, externalLabels: [String: String] = [:],
    record: @escaping @Sendable ([StoredNotification]) -> Void = { _ in }
  ) throws -> Notifier {
    try Notifier(
      config, file: "redline.yml", externalLabels: externalLabels, externalURL: "http://redline.example:9121/",
      environment: [:], group: MultiThreadedEventLoopGroup.singleton,
      log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, record: record)
  }

  static func notice(
    _ name: String, _ labels: [String: String] = [:], endsAfter: Int64 = 240_000, isResolved: Bool = false
  ) -> Notification {
    let now = WallTime.now.epochMs
    return Notification(
      labels: Labels([Labels.Pair("alertname", name)] + labels.map { Labels.Pair($0.key, $0.value) }), annotations: [:],
      startsAtMilliseconds: 1_795_835_815_632, endsAtMilliseconds: now + endsAfter, isResolved: isResolved)
  }

  /// Waits up to half a minute for what must come: all tests at once leave little of a small machine.
  static func eventually(_ condition: () -> Bool) async throws -> Bool {
    for _ in 0..<1500 {
      if condition() { return true }
      try await Task.sleep(for: .milliseconds(20))
    }
    return condition()
  }

  static func value(_ notifier: Notifier, _ series: String) -> String? {
    let page = String(decoding: Exposition().page([notifier.samples()]), as: UTF8.self)
    return page.split(separator: "\n").first { $0.hasPrefix("\(series) ") }
      .map { String($0.dropFirst(series.count + 1)) }
  }

  @Test func everyAlertmanagerIsTold() async throws {
    let fakes = [try await Fake(), try await Fake()]
    let notifier = try Self.notifier(
      Self.config(
        fakes.map(\.url),
        "relabel: [{action: labeldrop, regex: replica}, {action: drop, source_labels: [alertname], regex: Quiet}]"),
      externalLabels: ["zone": "eu", "replica": "a", "team": "x"])
    notifier.send([Self.notice("A", ["team": "own"]), Self.notice("Quiet")], expression: "up == 0")
    for fake in fakes {
      #expect(try await Self.eventually { !fake.bodies.isEmpty })
      #expect(fake.text.contains(#""labels":{"alertname":"A","team":"own","zone":"eu"}"#))
      #expect(fake.text.contains(#""startsAt":"2026-11-28T03:16:55.632Z""#))
      #expect(
        fake.text.contains(#""generatorURL":"http://redline.example:9121/graph?g0.expr=up+%3D%3D+0\u0026g0.tab=1""#))
      #expect(!fake.text.contains("Quiet"))
    }
    #expect(notifier.alertmanagerURLs == fakes.map { "\($0.url)/api/v2/alerts" }.sorted())
    #expect(Self.value(notifier, "redis_exporter_notifications_relabel_dropped_total") == "1")
    #expect(Self.value(notifier, "redis_exporter_notifications_alertmanagers_discovered") == "2")
  }

  /// One that hangs delays no other, and what failed comes again until it is taken.
  @Test func failuresAreTriedAgainAndHarmNoOther() async throws {
    let hanging = try await Fake(Array(repeating: .nothing, count: 1000))
    let failing = try await Fake([
      .response(500), .bytes("", closes: true), .bytes("garbage\r\n", closes: true), .response(503),
    ])
    let good = try await Fake()
    let notifier = try Self.notifier(Self.config([hanging.url, failing.url, good.url], "resend_delay: 1s"))
    notifier.send([Self.notice("A")], expression: "up")
    #expect(try await Self.eventually { !good.bodies.isEmpty && !failing.bodies.isEmpty })
    #expect(failing.bodies.count == 1 && hanging.bodies.isEmpty)
    notifier.send([Self.notice("A")], expression: "up")
    #expect(try await Self.eventually { good.bodies.count == 2 })
  }

  @Test func oneBadAlertLosesNoOther() async throws {
    let fake = try await Fake(bad: "A13")
    let notifier = try Self.notifier(Self.config([fake.url]))
    notifier.send((10..<40).map { Self.notice("A\($0)") }, expression: "up")
    #expect(try await Self.eventually { (10..<40).allSatisfy { $0 == 13 || fake.text.contains("A\($0)") } })
    #expect(!fake.text.contains("A13"))
    let label = "alertmanager=\"\(fake.url)\""
    #expect(
      try await Self.eventually { Self.value(notifier, "redis_exporter_notifications_sent_total{\(label)}") == "29" })
    #expect(
      Self.value(notifier, "redis_exporter_notifications_dropped_total{\(label),reason=\"rejected\"}") == "1")
    #expect(Self.value(notifier, "redis_exporter_notifications_queue_length{\(label)}") == "0")
  }

  /// Two hundred alerts need four requests.
  @Test func batchesAreBounded() async throws {
    let fake = try await Fake()
    let notifier = try Self.notifier(Self.config([fake.url]))
    notifier.send((0..<200).map { Self.notice("A\($0)") }, expression: "up")
    #expect(try await Self.eventually { fake.bodies.count == 4 })
    #expect(fake.bodies.map { $0.split(separator: "startsAt").count - 1 } == [64, 64, 64, 8])
  }

  /// The first alert already holds by the clock of an Alertmanager that is far ahead.
  @Test func endsAreMovedForAClockAhead() async throws {
    let fake = try await Fake(date: "Sat, 01 Jan 2028 00:00:00 GMT")
    let notifier = try Self.notifier(Self.config([fake.url]))
    let began = WallTime.now.epochMs
    notifier.send([Self.notice("A")], expression: "up")
    // On a busy machine the first POST may go out before the clock is known; the next one follows at once.
    #expect(
      try await Self.eventually {
        let now = WallTime.now.epochMs
        let expected = [began, now].map { Timestamp(epochMs: $0 + 240_000 + 86_400_000).description.prefix(19) }
        let ends = fake.text.split(separator: #""endsAt":""#).dropFirst().map { $0.prefix(19) }
        return ends.contains { expected[0] <= $0 && $0 <= expected[1] }
      })
    #expect(fake.text.contains(#""startsAt":"2026-11-28T03:16:55.632Z""#))
  }

  /// What is sent before a name has resolved waits for the Alertmanagers that it stands for.
  @Test func everyAddressOfANameIsAnAlertmanager() async throws {
    let fake = try await Fake()
    let notifier = try Self.notifier(Self.config(entries: ["{dns: {name: localhost, port: \(fake.server.port)}}"]))
    notifier.send([Self.notice("A")], expression: "up")
    #expect(try await Self.eventually { fake.text.contains(#""alertname":"A""#) })
    #expect(notifier.alertmanagerURLs.contains("\(fake.url)/api/v2/alerts"))
    #expect(fake.bodies.count == 1)
  }

  /// A clock that turns out to be ahead only by the answer: what has ended by it already is told again.
  @Test func aClockThatJumpedIsAllowedForAtOnce() async throws {
    let future = [(name: "Date", value: "Sat, 01 Jan 2028 00:00:00 GMT")]
    let fake = try await Fake([.response(200, headers: future)])
    let notifier = try Self.notifier(Self.config([fake.url]))
    notifier.send([Self.notice("A")], expression: "up")
    #expect(try await Self.eventually { !fake.bodies.isEmpty })
    let tomorrow = Timestamp(epochMs: WallTime.now.epochMs + 240_000 + 86_400_000).description.prefix(15)
    #expect(fake.text.contains(#""endsAt":"\#(tomorrow)"#))
  }

  @Test func aReloadKeepsWhatWaits() async throws {
    let fake = try await Fake([.response(503), .response(401), .response(503)])
    let notifier = try Self.notifier(Self.config([fake.url], "resend_delay: 1s"))
    notifier.send([Self.notice("A")], expression: "up")
    try await Task.sleep(for: .milliseconds(50))
    try notifier.apply(
      Self.config([fake.url], "resend_delay: 2s"), file: "redline.yml", externalLabels: [:], externalURL: "")
    #expect(try await Self.eventually { fake.text.contains(#""alertname":"A""#) })
  }

  @Test func aBadReloadChangesNothing() async throws {
    let fake = try await Fake()
    let notifier = try Self.notifier(Self.config([fake.url]))
    let bad = try Self.config(["http://127.0.0.1:1"], "relabel: [{action: drop, regex: '('}]")
    #expect(throws: ConfigErrors.self) {
      try notifier.apply(bad, file: "redline.yml", externalLabels: [:], externalURL: "")
    }
    #expect(notifier.alertmanagerURLs == ["\(fake.url)/api/v2/alerts"])
  }

  @Test func drainDeliversAndThenStops() async throws {
    let fake = try await Fake([.response(503), .response(503), .response(503)])
    let notifier = try Self.notifier(Self.config([fake.url]))
    notifier.send([Self.notice("A", isResolved: true)], expression: "up")
    await notifier.drain(until: .now() + .seconds(30))
    #expect(fake.bodies.count == 1)
    notifier.send([Self.notice("B")], expression: "up")
    try await Task.sleep(for: .milliseconds(100))
    #expect(fake.bodies.count == 1)
  }

  @Test func drainEndsAtItsDeadline() async throws {
    let fake = try await Fake(Array(repeating: .nothing, count: 100))
    let notifier = try Self.notifier(Self.config([fake.url]))
    notifier.send([Self.notice("A")], expression: "up")
    let began = NIODeadline.now()
    await notifier.drain(until: .now() + .milliseconds(200))
    #expect(NIODeadline.now() - began < .seconds(30), "without a deadline it goes on for the alert's minutes")
  }

  /// What was told is written down once, and what was refused with the reason.
  @Test func whatWasToldIsRecorded() async throws {
    let fake = try await Fake(bad: "Bad")
    let records = Lock<[StoredNotification]>([])
    let notifier = try Self.notifier(Self.config([fake.url])) { more in records.withLock { $0 += more } }
    notifier.send([Self.notice("A"), Self.notice("Bad")], expression: "up")
    #expect(try await Self.eventually { records.withLock { $0.count } == 2 })
    notifier.send([Self.notice("A")], expression: "up")
    #expect(try await Self.eventually { fake.bodies.count == 2 })
    notifier.send([Self.notice("A", endsAfter: -1000, isResolved: true)], expression: "up")
    #expect(try await Self.eventually { records.withLock { $0.count } == 3 })
    let all = records.withLock { $0 }.sorted { ($0.alertname, $0.state) < ($1.alertname, $1.state) }
    #expect(all.map(\.alertname) == ["A", "A", "Bad"] && all.map(\.state) == ["firing", "resolved", "firing"])
    #expect(all[0].outcome == "accepted" && all[1].outcome == "accepted")
    #expect(all[2].outcome == "rejected: it answered 400: bad label")
    #expect(all.allSatisfy { $0.alertmanager == fake.url && $0.startsAtMs == 1_795_835_815_632 })
    #expect(all[0].endsAtMs == nil && all[1].endsAtMs != nil)
  }

  /// Who was not told is written down as well: once, however often it was tried.
  @Test func whatWasNotToldIsRecorded() async throws {
    let fake = try await Fake(Array(repeating: .response(503), count: 4))
    let records = Lock<[StoredNotification]>([])
    let notifier = try Self.notifier(
      Self.config(
        entries: ["{url: \"\(fake.url)\"}", "{dns: {name: no-such-host.invalid, port: 1}}"], ["resend_delay: 1s"])
    ) { more in records.withLock { $0 += more } }
    notifier.send([Self.notice("A"), Self.notice("B")], expression: "up")
    #expect(try await Self.eventually { fake.bodies.count == 1 })
    #expect(try await Self.eventually { records.withLock { $0.count } == 6 })
    let told = records.withLock { $0 }.filter { $0.alertmanager == fake.url }
    #expect(told.map(\.outcome) == ["not delivered: status_503", "not delivered: status_503", "accepted", "accepted"])
    #expect(told.map(\.alertname) == ["A", "B", "A", "B"])
    let unresolved = records.withLock { $0 }.filter { $0.alertmanager != fake.url }
    #expect(unresolved.map(\.outcome) == ["not delivered: dns", "not delivered: dns"])
  }

  /// Since when nothing arrives, and why; nothing of it is left once something is accepted.
  @Test func whatIsNotDeliveredIsKnown() async throws {
    let fake = try await Fake(Array(repeating: .response(503), count: 3))
    let notifier = try Self.notifier(
      Self.config(
        entries: ["{url: \"\(fake.url)\", basic_auth: {username: u, password: hunter2}}"], ["resend_delay: 1s"]))
    #expect(notifier.deliveries.map(\.trouble) == [nil], "nothing was tried yet")
    let began = WallTime.now
    notifier.send([Self.notice("A")], expression: "up")
    #expect(try await Self.eventually { notifier.deliveries.first?.trouble != nil })
    let state = try #require(notifier.deliveries.first)
    let trouble = try #require(state.trouble)
    #expect(state.alertmanager == fake.url && trouble.problem.hasPrefix("status_503: "))
    #expect(!trouble.isRefusal && trouble.since >= began - 0.01 && trouble.since <= .now)
    #expect(state.complaint?.hasPrefix("alerts are not delivered to \(fake.url) since ") == true)
    #expect(
      Self.value(notifier, "redis_exporter_notifications_failing_since_timestamp_seconds{alertmanager=\"\(fake.url)\"}")
        != nil)
    #expect(try await Self.eventually { notifier.deliveries.first?.trouble == nil && fake.bodies.count == 1 })
    #expect(notifier.deliveries.first?.lastSuccess != nil && notifier.deliveries.first?.complaint == nil)
  }

  /// With nothing left to send, nothing would show that it is reached again: it is asked.
  @Test func theEndOfAnOutageIsNoticedWithoutAlerts() async throws {
    let fake = try await Fake([.response(503)])
    let notifier = try Self.notifier(Self.config([fake.url], "resend_delay: 1s"))
    notifier.send([Self.notice("A", endsAfter: 200)], expression: "up")
    #expect(try await Self.eventually { notifier.deliveries.first?.trouble != nil || !fake.bodies.isEmpty })
    #expect(try await Self.eventually { notifier.deliveries.first?.trouble == nil })
  }

  @Test func aRefusalAndANameThatDoesNotResolveAreTroubles() async throws {
    let fake = try await Fake(bad: "Bad")
    let notifier = try Self.notifier(
      Self.config(entries: ["{url: \"\(fake.url)\"}", "{dns: {name: no-such-host.invalid, port: 1}}"]))
    notifier.send([Self.notice("Bad")], expression: "up")
    #expect(try await Self.eventually { notifier.deliveries.count { $0.trouble != nil } == 2 })
    let refused = try #require(notifier.deliveries.first { $0.alertmanager == fake.url })
    #expect(refused.trouble?.isRefusal == true && refused.complaint?.contains("refused alerts") == true)
    let unresolved = try #require(notifier.deliveries.first { $0.alertmanager != fake.url })
    #expect(unresolved.trouble?.problem == "dns: the name does not resolve" && unresolved.waitingCount == 1)
  }

  @Test func nobodyIsToldUntilAlertmanagersAreConfigured() async throws {
    let fake = try await Fake()
    let notifier = try Self.notifier(nil)
    notifier.send([Self.notice("Early")], expression: "up")
    #expect(notifier.alertmanagerURLs.isEmpty && notifier.samples().count == 0)
    try notifier.apply(Self.config([fake.url]), file: "redline.yml", externalLabels: [:], externalURL: "")
    notifier.send([Self.notice("A")], expression: "up")
    #expect(try await Self.eventually { fake.text.contains("\"A\"") })
    try notifier.apply(nil, file: "redline.yml", externalLabels: [:], externalURL: "")
    notifier.send([Self.notice("Late")], expression: "up")
    #expect(notifier.alertmanagerURLs.isEmpty && notifier.samples().count == 0)
    try await Task.sleep(for: .milliseconds(300))
    #expect(!fake.text.contains("Early") && !fake.text.contains("Late"))
  }
}
