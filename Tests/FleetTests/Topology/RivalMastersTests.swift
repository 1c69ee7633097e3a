import Redis
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
    rivals.note(view(1, 2), atSeconds: 100)
    #expect(rivals.demoted(atSeconds: 100) == [Readings.address(2)] && !rivals.isSplit(atSeconds: 100))
    rivals.note(view(1, 2), atSeconds: 120)
    #expect(rivals.isSplit(atSeconds: 131) && rivals.demoted(atSeconds: 131).isEmpty)
    rivals.note(view(1), atSeconds: 132)
    #expect(!rivals.isSplit(atSeconds: 132))
    rivals.note(view(1, 2), atSeconds: 140)
    #expect(!rivals.isSplit(atSeconds: 150), "it is another time")
  }

  @Test func withoutSentinelsNobodyMendsIt() {
    var rivals = RivalMasters(graceSeconds: 0)
    #expect(!rivals.isSplit(atSeconds: 5))
    rivals.note(view(1, 2), atSeconds: 5)
    #expect(rivals.isSplit(atSeconds: 5) && rivals.demoted(atSeconds: 5).isEmpty)
  }
}
