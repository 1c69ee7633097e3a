import Glibc
import NIOCore
import Runtime
import Testing

@testable import Transport

@Suite(.timeLimit(.minutes(1))) struct NameCacheTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

  private func asked(_ cache: inout NameCache, _ names: [String], at time: NIODeadline) -> [String] {
    for name in names { _ = cache.ask(name, now: time) }
    return started(&cache, at: time)
  }

  private func started(_ cache: inout NameCache, at time: NIODeadline) -> [String] {
    var started: [String] = []
    while let name = cache.next(now: time) { started.append(name) }
    return started
  }

  @Test func oneLookUpForEachName() {
    var cache = NameCache(threadCount: 4, waitingLimit: 100, nameLimit: 100)
    let begun = asked(&cache, ["a", "a", "b", "a"], at: start)
    #expect(begun == ["a", "b"])
    cache.finish("a", ["10.0.0.1"], began: start, now: start + .seconds(1))
    let known = cache.ask("a", now: start + .seconds(30))
    #expect(known == .known(.addresses(["10.0.0.1"])))
    let old = cache.ask("a", now: start + .seconds(31))
    #expect(old == .wait(last: ["10.0.0.1"]))
    cache.finish("a", [], began: start, now: start + .seconds(32))
    #expect(cache.lastAnswer(for: "a") == .addresses(["10.0.0.1"]), "a failure does not forget")
  }

  /// Names that hung take half of the threads, however many they are.
  @Test func namesThatHangLeaveThreadsToOthers() {
    var cache = NameCache(threadCount: 4, waitingLimit: 100, nameLimit: 100)
    let slow = ["s1", "s2", "s3", "s4"]
    var begun = asked(&cache, slow, at: start)
    #expect(begun == slow)
    for name in slow { cache.finish(name, [], began: start, now: start + .seconds(10)) }
    let later = start + .seconds(11)
    begun = asked(&cache, slow + ["good"], at: later)
    #expect(begun == ["s1", "s2", "good"])
    cache.finish("s1", ["10.0.0.1"], began: later, now: later + .milliseconds(5))
    begun = started(&cache, at: later)
    #expect(begun == ["s3"])
    let expired = later + .seconds(40)
    cache.finish("s2", [], began: later, now: expired)
    begun = asked(&cache, ["s1"], at: expired)
    #expect(begun.first == "s1", "what was quick once is slow no more")
  }

  @Test func theLineIsBoundedAndNobodyStaysForLong() {
    var cache = NameCache(threadCount: 1, waitingLimit: 2, nameLimit: 100)
    var begun = asked(&cache, ["a"], at: start)
    #expect(begun == ["a"])
    begun = asked(&cache, ["b", "c"], at: start)
    #expect(begun.isEmpty)
    let refused = cache.ask("d", now: start)
    #expect(refused == .known(.crowded))
    let late = start + NameCache.lineLimit + .seconds(1)
    begun = started(&cache, at: late)
    #expect(begun.isEmpty)
    let (dropped, rest) = (cache.takeDropped(), cache.takeDropped())
    #expect(dropped == ["b", "c"] && rest.isEmpty)
    let again = cache.ask("d", now: late)
    #expect(again == .wait(last: []))
  }

  @Test func namesAreForgotten() {
    var cache = NameCache(threadCount: 1, waitingLimit: 1, nameLimit: 10)
    for number in 0..<1000 {
      let time = start + .seconds(Int64(number))
      let begun = asked(&cache, ["n\(number)"], at: time)
      #expect(begun == ["n\(number)"])
      cache.finish("n\(number)", ["10.0.0.1"], began: time, now: time)
    }
    #expect(cache.count == 10)
    #expect(cache.lastAnswer(for: "n999") != nil && cache.lastAnswer(for: "n0") == nil)
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
