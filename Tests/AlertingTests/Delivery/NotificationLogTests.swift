import Runtime
import Storage
import Testing

@testable import Alerting

struct NotificationLogTests {
  typealias Queue = DeliveryQueueTests

  @Test func repeatsAreNoNews() {
    var log = NotificationLog()
    let firing = Queue.alert("a", ends: 1000)
    #expect(log.news(of: [firing, Queue.alert("b")], atMilliseconds: 0).count == 2)
    #expect(log.news(of: [Queue.alert("a", ends: 9000)], atMilliseconds: 60_000).isEmpty)
    let over = Queue.alert("a", ends: 2000, isResolved: true)
    #expect(log.news(of: [over], atMilliseconds: 70_000) == [over])
    #expect(log.news(of: [over], atMilliseconds: 80_000).isEmpty)
    #expect(log.news(of: [Queue.alert("a", starts: 90_000)], atMilliseconds: 90_000).count == 1)
  }

  @Test func whatIsNotDeliveredIsToldOnceForEachOutage() {
    var log = NotificationLog()
    let (known, new) = (Queue.alert("known"), Queue.alert("new"))
    _ = log.news(of: [known], atMilliseconds: 0)
    #expect(log.undelivered([known, new], atMilliseconds: 1000) == [new], "a repeat is no news")
    #expect(log.undelivered([known, new], atMilliseconds: 2000).isEmpty, "nor is a further try")
    let over = Queue.alert("new", ends: 3000, isResolved: true)
    #expect(log.undelivered([over], atMilliseconds: 3000).isEmpty, "one for each alert")
    let end = Queue.alert("known", ends: 3000, isResolved: true)
    #expect(log.undelivered([end], atMilliseconds: 3000) == [end], "the end of what was told is news")
    // Delivered, and the next outage.
    #expect(log.news(of: [over, end], atMilliseconds: 4000) == [over, end])
    let again = Queue.alert("new", starts: 5000)
    #expect(log.undelivered([again], atMilliseconds: 5000) == [again])
  }

  @Test func whatWasToldBeforeThisRunIsNoNews() throws {
    let (held, ended, waiting, come) = (
      Queue.alert("held"), Queue.alert("ended"), Queue.alert("waiting"), Queue.alert("come")
    )
    let over = Queue.alert("ended", ends: 9, isResolved: true)
    let records = [
      StoredNotification(come, to: "a", atMilliseconds: 6, outcome: "accepted"),
      StoredNotification(come, to: "a", atMilliseconds: 5, undelivered: "connect"),
      StoredNotification(waiting, to: "a", atMilliseconds: 4, undelivered: "connect"),
      StoredNotification(over, to: "a", atMilliseconds: 3, outcome: "accepted"),
      StoredNotification(ended, to: "a", atMilliseconds: 2, outcome: "accepted"),
      StoredNotification(held, to: "a", atMilliseconds: 1, outcome: "accepted"),
      StoredNotification(held, to: "b", atMilliseconds: 1, outcome: "rejected: x"),
    ]
    var log = try #require(NotificationLog.logs(of: records, atMilliseconds: 10)["a"])
    #expect(log.undelivered([held, over, waiting, come], atMilliseconds: 11).isEmpty)
    #expect(log.news(of: [held, over, come], atMilliseconds: 12).isEmpty)
    #expect(log.news(of: [waiting], atMilliseconds: 13) == [waiting])
    #expect(NotificationLog.logs(of: records, atMilliseconds: 10).keys.sorted() == ["a"])
  }

  @Test func anOutageWithoutEndIsBounded() {
    var log = NotificationLog()
    for number in 0..<3000 {
      _ = log.undelivered([Queue.alert("a\(number)")], atMilliseconds: Int64(number) * 3_600_000)
    }
    let kept = Mirror(reflecting: log).descendant("untold") as? any Collection
    #expect((kept?.count ?? .max) < 50)
  }

  @Test func whatIsOverIsForgotten() {
    var log = NotificationLog()
    for number in 0..<10_000 {
      _ = log.news(of: [Queue.alert("a\(number)")], atMilliseconds: Int64(number) * 60_000)
    }
    let kept = Mirror(reflecting: log).descendant("told") as? any Collection
    #expect((kept?.count ?? .max) < 100)
  }

  @Test func aRecordTellsWhatWasTold() {
    let record = StoredNotification(
      Queue.alert("a\"b", starts: 5, ends: 9, isResolved: true), to: "http://am:9093", atMilliseconds: 20,
      outcome: "accepted")
    #expect(
      record
        == StoredNotification(
          atMs: 20, alertname: "a\"b", labels: #"{"alertname":"a\"b"}"#, state: "resolved", startsAtMs: 5, endsAtMs: 9,
          alertmanager: "http://am:9093", outcome: "accepted"))
  }

  @Test func theQueueRemembersWhatItDropped() {
    var queue = Queue.queue(Queue.many, capacity: 100)
    let losses = queue.takeLosses()
    #expect(losses.map(\.reason) == Array(repeating: .full, count: 50))
    #expect(Queue.names(losses.map(\.alert)) == Queue.names(Array(Queue.many.prefix(50))))
    #expect(queue.takeLosses().isEmpty)
    for number in 0..<5000 { queue.add(Queue.alert("b\(number)")) }
    #expect(queue.takeLosses().count == DeliveryQueue.lossLimit)
    var backlog = Queue.queue(Queue.many, capacity: 149)
    backlog.add(contentsOf: Queue.queue(Queue.many, capacity: 140))
    #expect(backlog.takeLosses().count == 11)
  }
}
