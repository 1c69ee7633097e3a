import Config
import Metrics
import Redis
import Runtime
import Testing

@testable import Fleet

/// Readings in, findings, samples and the state of the workload out: one file below `Scenarios` for each check.
@Suite(.timeLimit(.minutes(1)))
struct ScenarioTests {
  static let ids = CheckCatalogue.all.map(\.id)

  @Test(arguments: ids)
  func scenario(_ id: String) throws {
    let scenario = try Scenario(id)
    var (spoke, wasSilent) = (false, false)
    for look in try scenario.looks() {
      let seen = look.seen
      #expect(seen.state == look.expected.state, "\(id) at \(look.time) s: \(seen.everything)")
      #expect(seen.findings == look.expected.findings, "\(id) at \(look.time) s")
      for sample in look.expected.samples {
        #expect(
          seen.samples.contains(sample),
          "\(id) at \(look.time) s: \(seen.samples.filter { $0.hasPrefix(sample.prefix { $0 != "{" }) })")
      }
      if seen.findings.isEmpty { wasSilent = true } else { spoke = true }
    }
    #expect(spoke, "\(id) never speaks")
    #expect(wasSilent, "\(id) is never silent")
  }

  @Test func everyIDIsItsOwn() {
    #expect(Set(Self.ids).count == Self.ids.count)
    for id in Self.ids { #expect(id.allSatisfy { $0.isLowercase || $0 == "-" }, "\(id)") }
  }

  @Test func everyFileIsACheck() throws {
    let files = SmallFile.names(inDirectory: Scenario.folder, limit: 1000).filter { $0.hasSuffix(".txt") }
    #expect(Set(files.map { $0.dropLast(4) }) == Set(Self.ids.map { $0[...] }))
  }
}
