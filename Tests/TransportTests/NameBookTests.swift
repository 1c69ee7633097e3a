import Glibc
import NIOCore
import Runtime
import Testing

@testable import Transport

@Suite(.timeLimit(.minutes(1))) struct NameBookTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

  private func asked(_ book: inout NameBook, _ names: [String], at time: NIODeadline) -> [String] {
    for name in names { _ = book.ask(name, now: time) }
    return started(&book, at: time)
  }

  private func started(_ book: inout NameBook, at time: NIODeadline) -> [String] {
    var started: [String] = []
    while let name = book.next(now: time) { started.append(name) }
    return started
  }

  @Test func oneLookUpForEachName() {
    var book = NameBook(threadCount: 4, waitingLimit: 100, nameLimit: 100)
    let begun = asked(&book, ["a", "a", "b", "a"], at: start)
    #expect(begun == ["a", "b"])
    book.finish("a", ["10.0.0.1"], began: start, now: start + .seconds(1))
    let known = book.ask("a", now: start + .seconds(30))
    #expect(known == .known(.addresses(["10.0.0.1"])))
    let old = book.ask("a", now: start + .seconds(31))
    #expect(old == .wait(last: ["10.0.0.1"]))
    book.finish("a", [], began: start, now: start + .seconds(32))
    #expect(book.lastAnswer(for: "a") == .addresses(["10.0.0.1"]), "a failure does not forget")
  }

  /// Names that hung take half of the threads, however many they are.
  @Test func namesThatHangLeaveThreadsToOthers() {
    var book = NameBook(threadCount: 4, waitingLimit: 100, nameLimit: 100)
    let slow = ["s1", "s2", "s3", "s4"]
    var begun = asked(&book, slow, at: start)
    #expect(begun == slow)
    for name in slow { book.finish(name, [], began: start, now: start + .seconds(10)) }
    let later = start + .seconds(11)
    begun = asked(&book, slow + ["good"], at: later)
    #expect(begun == ["s1", "s2", "good"])
    book.finish("s1", ["10.0.0.1"], began: later, now: later + .milliseconds(5))
    begun = started(&book, at: later)
    #expect(begun == ["s3"])
    let expired = later + .seconds(40)
    book.finish("s2", [], began: later, now: expired)
    begun = asked(&book, ["s1"], at: expired)
    #expect(begun.first == "s1", "what was quick once is slow no more")
  }

  @Test func theLineIsBoundedAndNobodyStaysForLong() {
    var book = NameBook(threadCount: 1, waitingLimit: 2, nameLimit: 100)
    var begun = asked(&book, ["a"], at: start)
    #expect(begun == ["a"])
    begun = asked(&book, ["b", "c"], at: start)
    #expect(begun.isEmpty)
    let refused = book.ask("d", now: start)
    #expect(refused == .known(.crowded))
    let late = start + NameBook.lineLimit + .seconds(1)
    begun = started(&book, at: late)
    #expect(begun.isEmpty)
    let (dropped, rest) = (book.takeDropped(), book.takeDropped())
    #expect(dropped == ["b", "c"] && rest.isEmpty)
    let again = book.ask("d", now: late)
    #expect(again == .wait(last: []))
  }

  @Test func namesAreForgotten() {
    var book = NameBook(threadCount: 1, waitingLimit: 1, nameLimit: 10)
    for number in 0..<1000 {
      let time = start + .seconds(Int64(number))
      let begun = asked(&book, ["n\(number)"], at: time)
      #expect(begun == ["n\(number)"])
      book.finish("n\(number)", ["10.0.0.1"], began: time, now: time)
    }
    #expect(book.count == 10)
    #expect(book.lastAnswer(for: "n999") != nil && book.lastAnswer(for: "n0") == nil)
  }

  // MARK: The resolver

  /// Look-ups that hang until they are let go, but for the names that are known.
  private final class Names: Sendable {
    let known = Lock(["good": ["10.0.0.1"]])
    let isHanging = Lock(true)
    func lookUp(_ name: String) -> [String] {
      if let addresses = known.withLock({ $0[name] }) { return addresses }
      while isHanging.withLock({ $0 }) { usleep(1000) }
      return []
    }
  }

  @Test func aKnownAddressServesWhileTheLookUpHangs() async {
    let names = Names()
    defer { names.isHanging.withLock { $0 = false } }
    let resolver = NameResolver(
      threadCount: 2, waitingLimit: 2, nameLimit: 10, lifetime: .nanoseconds(0), lookUp: names.lookUp)
    #expect(await resolver.answer(for: "good") == .addresses(["10.0.0.1"]))
    names.known.withLock { $0 = [:] }
    #expect(await resolver.answer(for: "good") == .addresses(["10.0.0.1"]))
    // One hangs already; of these one has the other thread, and two stand in line.
    let hanging = (0..<3).map { number in Task { await resolver.answer(for: "hangs\(number)") } }
    try? await Task.sleep(for: .milliseconds(100))
    #expect(await resolver.answer(for: "one too many") == .crowded)
    #expect(await resolver.answer(for: "good") == .addresses(["10.0.0.1"]))
    #expect(await resolver.answer(for: "10.0.0.9") == .addresses(["10.0.0.9"]))
    names.isHanging.withLock { $0 = false }
    for task in hanging { #expect(await task.value == .unknown) }
  }
}
