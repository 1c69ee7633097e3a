import Config
import Testing

@testable import Alerting

@Suite(.timeLimit(.minutes(1))) struct RuleUnitTestTests {
  @Test func goodTestsPass() throws {
    let tests = try RuleUnitTests.load("\(Fixtures.folder)/tests/good.yml")
    #expect(tests.run().map(\.description) == [])
    #expect(tests.remarks.count == 1)
  }

  @Test(arguments: ["failing", "error"])
  func failuresShowWhatDiffers(name: String) throws {
    let failures = try RuleUnitTests.load("\(Fixtures.folder)/tests/\(name).yml").run()
    let text = failures.map { "\($0)\n" }.joined()
    #expect(try text == Fixtures.golden("\(Fixtures.folder)/tests/\(name).txt", of: text))
  }

  @Test func badFileIsRefused() throws {
    let errors = try #require(throws: ConfigErrors.self) {
      try RuleUnitTests.load("\(Fixtures.folder)/tests/input.bad.yml")
    }
    let text = Fixtures.withoutFolders("\(errors)\n")
    #expect(try text == Fixtures.golden("\(Fixtures.folder)/tests/input.bad.txt", of: text))
  }

  @Test func testsAreChosenByName() throws {
    let tests = try RuleUnitTests.load("\(Fixtures.folder)/tests/failing.yml")
    #expect(tests.run { $0 == "another" }.isEmpty)
    #expect(!tests.run { $0.hasPrefix("everything") }.isEmpty)
  }
}
