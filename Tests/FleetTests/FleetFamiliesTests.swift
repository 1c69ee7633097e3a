import Metrics
import Testing

@testable import Fleet

@Suite struct FleetFamiliesTests {
  @Test func everyEventIsAFamilyThatTheFleetExports() {
    #expect(Set(Family.ofEvents.map(\.name)) == Family.eventNames)
  }
}
