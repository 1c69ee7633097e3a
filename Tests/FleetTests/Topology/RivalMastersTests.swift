import Redis
import TestSupport
import Testing

@testable import Fleet

@Suite struct RivalMastersTests {
  private func view(_ masters: Int...) -> ReplicationView {
    ReplicationView(
      masters.map { ReplicationView.Member(Readings.address($0), facts: ReplicationFacts(isMaster: true)) },
      authority: Readings.address(1))
  }

  @Test func sentinelsGetTheTimeToDemote() {
    var rivals = RivalMasters(graceSeconds: RivalMasters.sentinelGraceSeconds)
    rivals.note(view(1, 2), at: 100)
    #expect(rivals.demoted(at: 100) == [Readings.address(2)] && !rivals.isSplit(at: 100))
    rivals.note(view(1, 2), at: 120)
    #expect(rivals.isSplit(at: 131) && rivals.demoted(at: 131).isEmpty)
    rivals.note(view(1), at: 132)
    #expect(!rivals.isSplit(at: 132))
    rivals.note(view(1, 2), at: 140)
    #expect(!rivals.isSplit(at: 150), "it is another time")
  }

  @Test func withoutSentinelsNobodyMendsIt() {
    var rivals = RivalMasters(graceSeconds: 0)
    #expect(!rivals.isSplit(at: 5))
    rivals.note(view(1, 2), at: 5)
    #expect(rivals.isSplit(at: 5) && rivals.demoted(at: 5).isEmpty)
  }
}
