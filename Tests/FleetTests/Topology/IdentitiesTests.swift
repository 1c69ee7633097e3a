import Redis
import Testing

@testable import Fleet

@Suite struct IdentitiesTests {
  @Test func anAliasThatBecomesAnotherServerIsNoAliasAnyMore() {
    let (seed, other) = (Readings.address(1, "a.example"), Readings.address(1))
    var identities = Identities(preferred: [seed])
    identities.learn([
      Readings.master(1, runID: "x", replicas: [], host: "a.example"), Readings.master(1, runID: "x", replicas: []),
    ])
    #expect(identities[other] == seed && identities.aliases(of: seed) == [other])
    identities.learn([
      Readings.master(1, runID: "x", replicas: [], host: "a.example"), Readings.master(1, runID: "y", replicas: []),
    ])
    #expect(identities[other] == other && identities.aliases.isEmpty)
  }

  @Test func serversWithoutRunIDsAreNeverTheSame() {
    var identities = Identities(preferred: [])
    identities.learn([
      Readings.up(Readings.address(1), "role:master\n"), Readings.up(Readings.address(2), "role:master\n"),
    ])
    #expect(identities.aliases.isEmpty)
  }
}
