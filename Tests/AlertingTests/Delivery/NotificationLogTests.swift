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
