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
      for result in look.expected.results {
        #expect(
          seen.results.contains(result),
          "\(id) at \(look.time) s: \(seen.results.filter { $0.hasPrefix(result.prefix { $0 != " " }) })")
      }
      if seen.findings.isEmpty { wasSilent = true } else { spoke = true }
    }
    #expect(spoke, "\(id) never speaks")
    #expect(wasSilent, "\(id) is never silent")
  }

  /// A scenario holds what its check does: with a check that does nothing in its place, some look is not as expected.
  @Test(arguments: ids)
  func checkThatDoesNothing(_ id: String) throws {
    let checks = CheckCatalogue.all.map { check -> any Check in check.id == id ? Emptied(of: check) : check }
    let looks = try Scenario(id, checks).looks()
    #expect(looks.contains { $0.seen.findings != $0.expected.findings }, "\(id) finds nothing, and nobody notices")
    guard looks.contains(where: { !$0.expected.samples.isEmpty }) else { return }
    let areMissed = looks.contains { look in !look.expected.samples.allSatisfy(look.seen.samples.contains) }
    #expect(areMissed, "\(id) adds no samples, and nobody notices")
  }

  /// Of each family of a check, its scenario shows a sample.
  @Test(arguments: CheckCatalogue.all.filter { !$0.families.isEmpty }.map(\.id))
  func samplesOfEachFamily(_ id: String) throws {
    let shown = try Scenario(id).looks().flatMap(\.expected.samples).map {
      String($0.prefix { $0 != "{" && $0 != " " })
    }
    let check = try #require(CheckCatalogue.all.first { $0.id == id })
    for family in check.families {
      #expect(shown.contains("redis_\(family.name)"), "\(id).txt shows no sample of redis_\(family.name)")
    }
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

/// A check without its body.
private struct Emptied: Check {
  let id: String
  let group: CheckGroup
  let scope: CheckScope
  let families: [Family]

  init(of check: any Check) { (id, group, scope, families) = (check.id, check.group, check.scope, check.families) }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {}
}
