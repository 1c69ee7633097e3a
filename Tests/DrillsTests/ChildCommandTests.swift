import Testing

@testable import Drills

@Suite struct ChildCommandTests {
  @Test func aProgramSaysHowItEnded() async throws {
    #expect(try await ChildCommand(arguments: ["true"]).run())
    #expect(try await ChildCommand(arguments: ["false"]).run() == false)
  }
}
