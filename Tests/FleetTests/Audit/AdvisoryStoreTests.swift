import Config
import Runtime
import TestSupport
import Testing

@testable import Fleet

@Suite(.timeLimit(.minutes(1))) struct AdvisoryStoreTests {
  private func write(_ text: String, to path: String) throws {
    try WholeFile.write(Array(text.utf8), to: path, by: path + ".new")
  }

  @Test func aFileIsHeldOnceUntilItChanges() async throws {
    let folder = TemporaryFolder()
    let path = "\(folder.path)/advisories.json"
    let store = AdvisoryStore()
    #expect(await store.advisories(nil) == nil)
    try write(AdvisoryTests.text, to: folder.path + "/advisories.json")
    let first = try #require(await store.advisories(path)?.value)
    let second = try #require(await store.advisories(path)?.value)
    #expect(first === second && first.value.faults.count == 6)
    try write(AdvisoryTests.text.replacing("CVE-6", with: "CVE-2099-6"), to: folder.path + "/advisories.json")
    let third = try #require(await store.advisories(path)?.value)
    #expect(third !== first && third.value.faults.last?.id == "CVE-2099-6")
  }

  @Test func whatCannotBeReadIsUnknownWithItsPlace() async throws {
    let folder = TemporaryFolder()
    let store = AdvisoryStore()
    let missing = await store.advisories(folder.path + "/missing.json")
    #expect(missing == .unknown("\(folder.path)/missing.json: cannot be read: No such file or directory"))
    try write("{\"version\": 1}", to: folder.path + "/wrong.json")
    let wrong = await store.advisories(folder.path + "/wrong.json")
    #expect(wrong == .unknown("\(folder.path)/wrong.json:1:1: as_of: is missing"))
    // It is mended: nobody has to start anything.
    try write(AdvisoryTests.text, to: folder.path + "/wrong.json")
    #expect(await store.advisories(folder.path + "/wrong.json")?.value != nil)
  }

  @Test func commandsTellAgesAndErrors() async throws {
    let folder = TemporaryFolder()
    try write(AdvisoryTests.text, to: folder.path + "/good.json")
    try write("[]", to: folder.path + "/bad.json")
    func config(_ file: String) throws -> FleetConfig {
      let text = "workloads: [{name: w, kind: cache, topology: static, seeds: [a], audit: {advisories: '\(file)'}}]"
      return try FleetConfig.parse(Array(text.utf8), file: "f")
    }
    let good = try config(folder.path + "/good.json")
    #expect(await AdvisoryFile.errors(in: good).isEmpty)
    #expect(
      await AdvisoryFile.ages(of: good).first?.hasPrefix("\(folder.path)/good.json: known faults as of 2026-01-01, ")
        == true)
    let bad = good.auditing(against: folder.path + "/bad.json")
    #expect(
      await AdvisoryFile.errors(in: bad).map { "\($0)" } == [
        "\(folder.path)/bad.json:1:1: a mapping is expected here, not a list"
      ])
    #expect(await AdvisoryFile.ages(of: bad).isEmpty)
  }
}
