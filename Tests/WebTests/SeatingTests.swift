import Testing

@testable import Web

@Suite struct SeatingTests {
  private let now = ContinuousClock.now
  private var seating: Seating {
    var options = ServerLimits()
    options.connectionLimit = 16
    options.perAddressLimit = 6
    return Seating(options)
  }

  private func connection(_ client: String, _ phase: (ContinuousClock.Instant) -> Connection.Phase, ago: Int)
    -> Connection
  {
    let connection = Connection(descriptor: -1, client: client, now: now)
    connection.phase = phase(now - .seconds(ago))
    return connection
  }

  @Test func nobodyGoesWhileThereAreSeats() {
    let newcomer = connection("a", { .header(since: $0) }, ago: 0)
    let others = (0..<13).map { connection("\($0)", { .idle(since: $0) }, ago: 100) }
    #expect(seating.limit == 14)
    #expect(seating.victim(of: newcomer, among: others + [newcomer], now: now) == nil)
  }

  @Test func silentOnesGoBeforeIdleOnes() {
    let newcomer = connection("a", { .header(since: $0) }, ago: 0)
    let idle = (0..<12).map { connection("\($0)", { .idle(since: $0) }, ago: 100) }
    let silent = connection("x", { .header(since: $0) }, ago: 1)
    let more = connection("y", { .header(since: $0) }, ago: 2)
    let all = idle + [silent, more, newcomer]
    #expect(seating.victim(of: newcomer, among: all, now: now) === more)
    more.giveUp()
    let next = connection("b", { .header(since: $0) }, ago: 0)
    #expect(seating.victim(of: next, among: all + [next], now: now) === silent)
    silent.giveUp()
    let last = connection("c", { .header(since: $0) }, ago: 0)
    #expect(
      seating.victim(of: last, among: all + [next, last], now: now) === newcomer, "it has asked for nothing, too")
  }

  @Test func whoHasMostSeatsGivesOneUp() {
    let newcomer = connection("a", { .header(since: $0) }, ago: 0)
    let crowd = (0..<5).map { connection("crowd", { .idle(since: $0) }, ago: 5 + $0) }
    let others = (0..<9).map { connection("\($0)", { .idle(since: $0) }, ago: 100) }
    #expect(seating.victim(of: newcomer, among: others + crowd + [newcomer], now: now) === crowd[4])
  }

  @Test func aClientBeyondItsShareGivesWayItself() {
    let newcomer = connection("a", { .header(since: $0) }, ago: 0)
    let own = (0..<6).map { connection("a", { .idle(since: $0) }, ago: $0) }
    let other = connection("b", { .header(since: $0) }, ago: 9)
    #expect(seating.victim(of: newcomer, among: own + [other, newcomer], now: now) === own[5])
    let socket = connection("unix", { .header(since: $0) }, ago: 0)
    let sockets = (0..<10).map { connection("unix", { .idle(since: $0) }, ago: $0) }
    #expect(seating.victim(of: socket, among: sockets + [socket], now: now) == nil, "all have one address")
  }

  @Test func whoIsBeingAnsweredStays() {
    let newcomer = connection("a", { .header(since: $0) }, ago: 0)
    let busy = (0..<14).map { connection("\($0)", { .response(since: $0) }, ago: 9) }
    #expect(seating.victim(of: newcomer, among: busy + [newcomer], now: now) == nil)
    let own = (0..<6).map { _ in connection("a", { .response(since: $0) }, ago: 9) }
    #expect(seating.victim(of: newcomer, among: own + [newcomer], now: now) === newcomer, "beyond its share")
  }
}
