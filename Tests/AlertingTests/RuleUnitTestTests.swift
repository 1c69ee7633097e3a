import Config
import PromQL
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

  /// Without an interval Prometheus 2 takes the first value of each series, at the start, and Prometheus 3 the interval of
  /// evaluation.
  @Test func intervalThatIsMissing() throws {
    let path = "\(Fixtures.folder)/tests/no_interval.2x.yml"
    #expect(try RuleUnitTests.load(path, dialect: .prometheus2).run().map(\.description) == [])
    #expect(try RuleUnitTests.load(path, dialect: .prometheus3).run().count == 2)
  }

  @Test func testsAreChosenByName() throws {
    let tests = try RuleUnitTests.load("\(Fixtures.folder)/tests/failing.yml")
    #expect(tests.run { $0 == "another" }.isEmpty)
    #expect(!tests.run { $0.hasPrefix("everything") }.isEmpty)
  }
}
