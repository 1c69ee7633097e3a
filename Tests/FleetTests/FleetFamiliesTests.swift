import Metrics
import Redis
import Testing

@testable import Fleet

@Suite struct FleetFamiliesTests {
  /// What rules are evaluated for at once; a family says it where it is declared.
  @Test func whatCountsAsAnEvent() {
    #expect(
      Set(Family.ofEvents.map(\.name)) == [
        "up", "failovers_total", "failover_last_timestamp_seconds", "failover_info", "rejected_connections_total",
        "cluster_slots_fail", "cluster_slots_assigned", "workload_split_brain", "workload_masters_present",
        "workload_slots",
        "workload_sentinel_quorum", "sentinel_master_ckquorum_status",
      ])
  }

  /// Values are of labels that the family has, and only gauges need say that they grow.
  @Test func traitsFitTheirFamilies() {
    for family in FamilyGroup.ofFleet.flatMap(\.families) {
      #expect(Set(family.labelValues.keys).isSubset(of: family.labelNames), "\(family.name)")
      #expect(family.labelValues.values.allSatisfy { !$0.isEmpty }, "\(family.name)")
      #expect(!family.traits.contains(.growing) || family.type == .gauge, "\(family.name)")
    }
  }

  /// As redis_exporter does: what says something of the server has the role, what says something of the exporter has not.
  @Test func theRoleStandsOnWhatTheServerSays() throws {
    var options = PollerOptions(connection: ConnectionOptions(address: try RedisAddress("redis://127.0.0.1:1")))
    options.appendsRole = true
    var sink = SampleSink()
    for family in PollFamilies.all where family.type == .gauge && family.labelNames.isEmpty { sink.add(family, 1) }
    let facts = ServerFacts(InfoText(bytes: Array("redis_version:7.0.0\r\nrole:slave\r\n".utf8)))
    func labelled(_ facts: ServerFacts?) -> [String] {
      var polled = PolledSamples()
      let samples = polled.finish(sink, .up, of: facts, options)
      return Fixture.lines(String(decoding: Exposition().page([samples]), as: UTF8.self))
        .filter { $0.contains(#"{instance_role="slave"}"#) }
    }
    #expect(
      labelled(facts) == [
        #"redis_exporter_last_scrape_duration_seconds{instance_role="slave"} 1"#, #"redis_up{instance_role="slave"} 1"#,
      ])
    #expect(labelled(nil) == [], "nobody knows it yet")
    options.appendsRole = false
    #expect(labelled(facts) == [])
  }
}
