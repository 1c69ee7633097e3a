import Config
import Runtime
import TestSupport
import Testing

@testable import Fleet

/// Locks that no majority of Redlock's servers gave.
@Suite struct SplitLocksTests {
  /// Locks by how many of the servers hold them.
  private func found(_ counts: [Int: Int], of serverCount: Int = 5, omitted: Int = 0) -> RedlockWatch.Summary {
    let names = (0..<serverCount).map { server in Set(counts.filter { $0.value > server }.keys) }
    return RedlockWatch.Summary(names: names, omittedCount: omitted)
  }

  private func tracker() -> SplitLocks { SplitLocks(RedlockConfig(maxTTL: .seconds(10)), serverCount: 5) }

  @Test func oneLookIsNoProof() {
    var splits = tracker()
    splits.note(found([1: 2, 2: 3, 3: 5]), began: 0, ended: 1)
    #expect(splits.count == nil)
    // The same walks again, and others that began before the locks of the first had expired.
    splits.note(found([1: 2]), began: 0, ended: 1)
    splits.note(found([1: 2]), began: 10.5, ended: 12)
    #expect(splits.count == nil)
    splits.note(found([1: 2, 4: 1]), began: 11.5, ended: 13)
    #expect(splits.count == 1)
    splits.note(found([4: 3]), began: 30, ended: 31)
    #expect(splits.count == 0)
  }

  @Test func aServerThatIsNotReadMayHoldAll() {
    var splits = tracker()
    splits.note(found([1: 2, 2: 1], of: 4), began: 0, ended: 1)
    splits.note(found([1: 2, 2: 1], of: 4), began: 20, ended: 21)
    #expect(splits.count == 1)
  }

  @Test func tooManyNamesAreNotJudged() {
    var splits = tracker()
    splits.note(found([1: 1]), began: 0, ended: 1)
    splits.note(found([1: 1], omitted: 3), began: 20, ended: 21)
    #expect(splits.count == nil)
    splits.note(found([1: 1]), began: 40, ended: 41)
    #expect(splits.count == nil)
    splits.note(found([1: 1]), began: 60, ended: 61)
    #expect(splits.count == 1)
  }
}
