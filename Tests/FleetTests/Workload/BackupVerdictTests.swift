import Testing

@testable import Fleet

@Suite struct BackupVerdictTests {
  private func facts(saved: Double? = nil, changes: Int = 5, uptime: Double = 100_000) -> PersistenceFacts {
    PersistenceFacts(
      changesSinceSave: changes, lastSaveSeconds: saved ?? 0, hasSaved: saved != nil, uptimeSeconds: uptime,
      serverSeconds: 10_000)
  }

  private func verdict(_ members: PersistenceFacts...) -> BackupVerdict {
    // The daemon's clock is not asked where the server has one.
    BackupVerdict(members, limitSeconds: 3600, nowSeconds: 99_999)
  }

  @Test func theYoungestDumpCounts() {
    #expect(verdict(facts(saved: 9000)) == verdict(facts(saved: 9000), facts(saved: 100)))
    #expect(verdict(facts(saved: 9000)).ageSeconds == 1000 && !verdict(facts(saved: 9000)).isTooOld)
    let old = verdict(facts(saved: 100), facts(saved: 1000))
    #expect(old.isTooOld)
  }

  @Test func neverSavedIsNotJustSaved() {
    #expect(verdict(facts()).isTooOld && verdict(facts()).ageSeconds == nil)
    #expect(!verdict(facts(uptime: 60)).isTooOld, "it was started just now")
  }

  @Test func anOldDumpOfTheSameDataIsAsGoodAsNew() {
    #expect(!verdict(facts(saved: 100, changes: 0)).isTooOld)
    #expect(verdict(facts(changes: 0)).isTooOld, "no dump at all")
  }
}
