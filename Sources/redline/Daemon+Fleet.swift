import Config
import Fleet
import Redis
import Runtime
import Web

extension Daemon {
  /// What the fleet was found to be, as Prometheus http_sd takes it: one group for each server.
  func serviceDiscovery() async -> Response {
    guard let watch else { return .text("service discovery needs config.file\n", status: 404) }
    let groups = await watch.fleet.members().filter { $0.standing != "ghost" }.map { member in
      var labels: [(String, String)] = [
        ("instance", member.instance), ("__meta_redline_role", member.role.rawValue),
        ("__meta_redline_workload", member.workload),
      ]
      // Sentinels may serve several workloads and belong to none.
      if member.role != .sentinel { labels.append(("workload", member.workload)) }
      if let environment = member.environment { labels.append(("environment", environment)) }
      let pairs = labels.map { "\(jsonString($0.0)): \(jsonString($0.1))" }.joined(separator: ", ")
      return "  {\"targets\": [\(jsonString("\(member.address)"))], \"labels\": {\(pairs)}}"
    }
    let json = groups.isEmpty ? "[]\n" : "[\n\(groups.joined(separator: ",\n"))\n]\n"
    return .json(Array(json.utf8))
  }

  /// The member of the fleet that a `/scrape` request means; nil for other targets and requests that ask for more.
  func member(_ request: ScrapeRequest) async -> FleetMember? {
    guard request.overrides == TargetFactory.Overrides() else { return nil }
    return await watch?.fleet.members().first { $0.address.endpoint == request.address.endpoint }
  }
}
