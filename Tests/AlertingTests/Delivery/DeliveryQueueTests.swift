import Testing

@testable import Alerting

struct DeliveryQueueTests {
  static func alert(_ name: String, starts: Int64 = 0, ends: Int64 = 1000, isResolved: Bool = false)
    -> OutgoingNotification
  {
    OutgoingNotification(
      labels: ["alertname": name], annotations: [:], startsAtMilliseconds: starts, endsAtMilliseconds: ends,
      isResolved: isResolved, generatorURL: "")
  }

  static func queue(_ alerts: [OutgoingNotification], capacity: Int = 1000) -> DeliveryQueue {
    var queue = DeliveryQueue(capacity: capacity)
    for alert in alerts { queue.add(alert) }
    return queue
  }

  static func names(_ batch: [OutgoingNotification]) -> [String] { batch.map { $0.key.labels["alertname"] ?? "" } }

  static let many = (0..<150).map { alert("a\($0)") }

  @Test func batchesKeepTheOrderAndTheLimit() {
    var queue = Self.queue(Self.many)
    let batches = (0..<4).map { _ in queue.takeBatch(atMilliseconds: 0) }
    #expect(batches.map(\.count) == [64, 64, 22, 0])
    #expect(batches.flatMap(Self.names) == Self.names(Self.many))
    #expect(queue.isEmpty && queue.dropped.isEmpty)
  }

  @Test func aNewerNoticeTakesThePlaceOfTheOlder() {
    var queue = Self.queue([Self.alert("a"), Self.alert("b"), Self.alert("a", ends: 2000)])
    let batch = queue.takeBatch(atMilliseconds: 0)
    #expect(Self.names(batch) == ["a", "b"])
    #expect(batch.map(\.endsAtMilliseconds) == [2000, 1000])
  }

  /// The end of an episode is told before the beginning of the next.
  @Test func anotherEpisodeIsAnotherAlert() {
    var queue = Self.queue([Self.alert("a", ends: 500, isResolved: true), Self.alert("a", starts: 700, ends: 2000)])
    #expect(queue.takeBatch(atMilliseconds: 600).map(\.isResolved) == [true, false])
  }

  @Test func aFullQueueDropsTheOldest() {
    var queue = Self.queue(Self.many, capacity: 100)
    #expect(queue.count == 100 && queue.dropped == [.full: 50])
    #expect(Self.names(queue.takeBatch(atMilliseconds: 0)).first == "a50")
  }

  @Test func whatFailedComesFirstAgain() {
    var queue = Self.queue(Self.many)
    let batch = queue.takeBatch(atMilliseconds: 0)
    queue.add(Self.alert("a3", ends: 5000))
    queue.putBack(batch)
    #expect(queue.count == 150)
    let again = Self.names(queue.takeBatch(atMilliseconds: 0))
    #expect(Array(again.prefix(4)) == ["a0", "a1", "a2", "a4"])
    var rest: [OutgoingNotification] = []
    while !queue.isEmpty { rest += queue.takeBatch(atMilliseconds: 0) }
    #expect(rest.last == Self.alert("a3", ends: 5000))
  }

  @Test func putBackBeyondTheLimitDropsTheOldest() {
    var queue = Self.queue(Array(Self.many[..<64]), capacity: 64)
    let batch = queue.takeBatch(atMilliseconds: 0)
    for alert in Self.many[64..<128] { queue.add(alert) }
    queue.putBack(batch)
    #expect(queue.count == 64 && queue.dropped == [.full: 64])
    #expect(Self.names(queue.takeBatch(atMilliseconds: 0)).first == "a64")
  }

  /// A firing alert whose end has passed would count as resolved; an end that is long past helps nobody.
  @Test func whatIsOfNoUseExpires() {
    let hour: Int64 = 3_600_000
    var queue = Self.queue([
      Self.alert("firing", ends: hour), Self.alert("held", ends: hour + 1),
      Self.alert("long", ends: hour - 900_001, isResolved: true),
      Self.alert("late", ends: hour - 900_000, isResolved: true),
    ])
    #expect(Self.names(queue.takeBatch(atMilliseconds: hour)) == ["held", "late"])
    #expect(queue.dropped == [.expired: 2])
  }

  /// One alert that is always refused costs none of the others, and few requests.
  @Test(arguments: [0, 17, 63]) func aBadAlertIsFoundByHalves(bad: Int) {
    var queue = Self.queue(Array(Self.many[..<64]))
    var accepted: [OutgoingNotification] = []
    var requestCount = 0
    while !queue.isEmpty {
      let batch = queue.takeBatch(atMilliseconds: 0)
      requestCount += 1
      if Self.names(batch).contains("a\(bad)") { queue.split(batch) } else { accepted += batch }
    }
    #expect(accepted.count == 63 && queue.dropped == [.rejected: 1])
    #expect(requestCount <= 13)
  }

  @Test func queuesJoin() {
    var queue = Self.queue([Self.alert("a")])
    var other = Self.queue(Array(Self.many[..<8]))
    other.split(other.takeBatch(atMilliseconds: 0))
    queue.add(contentsOf: other)
    #expect(queue.count == 9)
  }
}
