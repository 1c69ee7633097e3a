import Metrics
import Redis
import Testing

@testable import Fleet

/// What real servers become, whole: a change of any collector shows here as a difference.
@Suite(.timeLimit(.minutes(1)))
struct GoldenTests {
  static let servers = [
    "redis-5.0.14", "redis-6.2.16", "redis-7.0.15", "redis-7.4.1", "redis-8.2.3", "valkey-8.0.1", "valkey-9.1.2",
  ]
  /// Those of which clusters and Sentinel groups were captured, too.
  static let topologies = ["redis-7.0.15", "redis-8.2.3", "valkey-8.0.1", "valkey-9.1.2"]

  @Test(arguments: servers)
  func master(_ name: String) throws {
    let server = CapturedServer(folder: "servers/\(name)")
    Fixture.expectGolden(try server.page(.wholePage), "\(name).prom")
  }

  @Test(arguments: servers)
  func replica(_ name: String) throws {
    let server = CapturedServer(folder: "servers/\(name)", info: "replica-info-all", files: [:])
    var options = CollectorOptions()
    options.configCommand = nil
    Fixture.expectGolden(try server.page(options), "\(name)-replica.prom")
  }

  @Test(arguments: topologies)
  func clusterNode(_ name: String) throws {
    let server = CapturedServer(
      folder: "topologies/\(name)", info: "failing-cluster-info-all",
      files: ["CLUSTER INFO": "failing-cluster-cluster-info", "CLUSTER GETSLOTMIGRATIONS": "slot-migrations"])
    Fixture.expectGolden(try server.page(CollectorOptions()), "\(name)-cluster.prom")
  }

  @Test(arguments: topologies)
  func sentinel(_ name: String) throws {
    let server = CapturedServer(
      folder: "topologies/\(name)", info: "failing-sentinel-info-all",
      files: [
        "SENTINEL MASTERS": "failing-sentinel-masters", "SENTINEL SENTINELS": "failing-sentinel-sentinels",
        "SENTINEL SLAVES": "failing-sentinel-replicas", "SENTINEL CKQUORUM": "failing-sentinel-ckquorum",
        "SENTINEL CONFIG": "failing-sentinel-config-get",
      ])
    Fixture.expectGolden(try server.page(.wholePage), "\(name)-sentinel.prom")
  }
}
