import Redis
import Runtime
import Testing

@testable import Drills

@Suite struct DrillCourseTests {
  static let master = DrillNode(address: NodeAddress(host: "10.0.0.1", port: 6379), runID: "old", isMaster: true)
  static let replica = DrillNode(address: NodeAddress(host: "10.0.0.2", port: 6379), runID: "new", isMaster: false)
  static let sentinels = (1...3).map { NodeAddress(host: "10.0.1.\($0)", port: 26379) }

  static func course(_ fault: DrillFault = .planned) -> DrillCourse {
    var settings = DrillSettings(fault: fault)
    (settings.beforeSeconds, settings.stableSeconds, settings.limitSeconds) = (10, 30, 60)
    let group = DrillGroup(
      master: master, replicas: [replica], witnesses: [], slots: nil, sentinels: sentinels, downAfterSeconds: 5)
    return DrillCourse(settings, group, name: { "\($0)" }, startedAt: Monotonic(seconds: 0))
  }

  /// All is well: every writer was served a moment ago.
  static func look(_ seconds: Double, by runID: String = "old") -> DrillCourse.Look {
    let ack = (at: Monotonic(seconds: seconds - 0.01), runID: runID)
    var look = DrillCourse.Look(at: Monotonic(seconds: seconds), acks: [ack, ack, ack, ack])
    look.answered = [master.address: look.at, replica.address: look.at]
    look.isFaultDone = true
    return look
  }

  /// One whose fault has begun at 10 s.
  static func begun(_ fault: DrillFault = .planned) -> DrillCourse {
    var course = course(fault)
    _ = course.step(look(10))
    return course
  }

  @Test func theFaultComesAfterAQuietTime() {
    var course = Self.course()
    #expect(course.step(Self.look(9.9)) == .goOn)
    #expect(course.step(Self.look(10)) == .beginFault)
    #expect(course.faultAt == Monotonic(seconds: 10))
  }

  @Test func nothingIsBrokenThatIsNotWell() {
    var troubled = Self.look(10)
    troubled.lastError = Monotonic(seconds: 3)
    var silent = Self.look(10)
    silent.acks[2] = nil
    var moved = Self.look(10)
    moved.switchCount = 1
    var full = Self.look(1)
    full.ledgerProblem = "no space"
    for look in [troubled, silent, moved, full] {
      var course = Self.course()
      guard case .end(.notBegun) = course.step(look) else {
        Issue.record("it went on")
        continue
      }
      #expect(course.faultAt == nil)
    }
  }

  @Test func itEndsWhenAllWentWellForLongEnough() {
    var course = Self.begun()
    var look = Self.look(12, by: "new")
    #expect(course.step(look) == .goOn)
    #expect(course.wellSince == nil, "nobody took over yet")
    func served(_ seconds: Double) -> DrillCourse.Look {
      var look = Self.look(seconds, by: "new")
      look.switchCount = 1
      return look
    }
    #expect(course.step(served(13)) == .goOn)
    #expect(course.wellSince == Monotonic(seconds: 13))
    // An error begins it again.
    look = served(20)
    look.lastError = Monotonic(seconds: 19.995)
    #expect(course.step(look) == .goOn)
    #expect(course.wellSince == nil)
    look = served(21)
    look.lastError = Monotonic(seconds: 19.995)
    #expect(course.step(look) == .goOn)
    look = served(50.9)
    look.lastError = Monotonic(seconds: 19.995)
    #expect(course.step(look) == .goOn)
    #expect(course.step(served(51)) == .end(.stable))
  }

  @Test func whoStaysWithTheOldMasterIsNotWell() {
    var course = Self.begun(.exec)
    var look = Self.look(20)
    look.switchCount = 1
    #expect(course.step(look) == .goOn)
    #expect(course.wellSince == nil)
    look = Self.look(21, by: "new")
    (look.switchCount, look.masterCount) = (1, 2)
    #expect(course.step(look) == .goOn)
    #expect(course.wellSince == nil, "two call themselves master")
  }

  @Test func aSecondFailureEndsIt() {
    func end(_ change: (inout DrillCourse.Look) -> Void) -> DrillCourse.Step {
      var course = Self.begun()
      var look = Self.look(20, by: "new")
      look.switchCount = 1
      change(&look)
      return course.step(look)
    }
    func isFailure(_ step: DrillCourse.Step, _ word: String) -> Bool {
      if case .end(.failed(let why)) = step { why.contains(word) } else { false }
    }
    #expect(end { _ in } == .goOn)
    #expect(isFailure(end { $0.switchCount = 2 }, "second time"))
    #expect(isFailure(end { $0.answered[Self.replica.address] = Monotonic(seconds: 14) }, "10.0.0.2:6379"))
    #expect(end { $0.answered[Self.master.address] = Monotonic(seconds: 10) } == .goOn, "that one is meant to be gone")
    #expect(end { $0.deaf = [Self.sentinels[0]: Monotonic(seconds: 10)] } == .goOn)
    #expect(
      isFailure(
        end { $0.deaf = [Self.sentinels[0]: Monotonic(seconds: 10), Self.sentinels[1]: Monotonic(seconds: 11)] },
        "2 of 3 Sentinels"))
    #expect(isFailure(end { $0.faultProblem = "no Sentinel fails over" }, "no Sentinel"))
    #expect(isFailure(end { $0.ledgerProblem = "no space" }, "ledger"))
    #expect(end { $0.isInterrupted = true } == .end(.interrupted))
  }

  @Test func recoveryIsNotWaitedForWithoutEnd() {
    var course = Self.begun()
    var look = Self.look(69.9)
    look.lastError = look.at
    #expect(course.step(look) == .goOn)
    look.at = Monotonic(seconds: 70)
    guard case .end(.failed(let why)) = course.step(look) else {
      Issue.record("it went on")
      return
    }
    #expect(why.contains("60 s"))
  }
}
