import Redis
import Runtime
import Storage
import Testing

@testable import Fleet

@Suite struct DriftTests {
  private func member(
    _ name: String, _ settings: [(String, String)], version: String = "7.0.15"
  ) throws -> (instance: String, facts: Shared<MemberFacts>) {
    var facts = Readings.facts("role:master\nredis_version:\(version)\n")
    facts.config = ConfigDigest(
      try #require(ServerConfig(try SentinelViewTests.reply(SentinelViewTests.details(settings)))))
    return (name, Shared(facts))
  }

  @Test func namesWhatDiffersAndWhere() throws {
    let members = [
      try member("a", [("maxmemory", "5"), ("drift-test-x", "1")]),
      try member("b", [("maxmemory", "5"), ("drift-test-x", "2")]),
      try member("c", [("maxmemory", "6")], version: "7.2.0"),
    ]
    let drift = Drift(members, areAlike: true)
    #expect(drift.settingCount == 2)
    #expect(drift.settings == [.init(name: "drift-test-x", odd: []), .init(name: "maxmemory", odd: ["c"])])
    #expect(
      [drift.versionText, drift.settingText] == [
        "Members run different versions: 7.0.15, 7.2.0",
        "Settings differ between members: drift-test-x, maxmemory (on c)",
      ])
    let independent = Drift(members, areAlike: false)
    #expect(independent.settingCount == nil && independent.settings.isEmpty && independent.versions.count == 2)
    let none = Drift([], areAlike: true)
    #expect(none.versionText == nil && none.settingText == nil)
  }

  @Test func aLongListIsCut() throws {
    let names = (0..<40).map { "drift-test-many\($0)" }
    let drift = Drift(
      [try member("a", names.map { ($0, "1") }), try member("b", names.map { ($0, "2") })], areAlike: true)
    let text = try #require(drift.settingText)
    #expect(text.hasSuffix(", 28 more") && text.utf8.count < 400)
  }

  @Test func lastingChangesAreTold() throws {
    let same = Drift([try member("a", [("save", "1")]), try member("b", [("save", "1")])], areAlike: true)
    let other = Drift([try member("a", [("save", "1")]), try member("b", [("save", "2")])], areAlike: true)
    var log = DriftLog()
    func note(_ drift: Drift, _ seconds: Double, isNews: Bool = true) -> [String] {
      log.note(drift, isNews: isNews, workload: "w", at: .init(seconds: seconds)).map(\.summary)
    }
    // As it was found is no news.
    #expect(note(other, 1, isNews: false) == [] && note(same, 2, isNews: false) == [])
    #expect(note(other, 10) == [] && note(other, 12) == [] && note(same, 13) == [] && note(same, 30) == [])
    #expect(note(other, 40) == [] && note(other, 45) == ["Settings differ between members: save"])
    #expect(note(other, 60) == [])
    #expect(note(.none, 70) == [] && note(.none, 80) == [], "nobody can be asked")
    #expect(note(other, 90) == [] && note(other, 100) == ["Settings differ between members: save"])
    #expect(note(same, 110) == [] && note(same, 120) == ["Settings are the same on all members that answer"])
  }
}
