import Fleet
import Runtime

/// What is known before a peak; nil for what nobody could tell.
public struct ReadinessEvidence: Sendable {
  /// Of the busiest or fullest member each.
  public struct Traffic: Sendable, Equatable {
    public var memoryUsedRatio, latencyP99Seconds, hitRatio, clientsUsedRatio, eventLoopBusyRatio: Double?

    public init() {}
  }

  /// Members that answer, by their role.
  public struct Members: Sendable, Equatable {
    public var masters = 0
    public var replicas = 0
    public var sentinels = 0

    public init() {}
  }

  /// Whether alerts arrive.
  public struct Delivery: Sendable, Equatable {
    public var alertmanager: String
    public var lastAccepted: WallTime?
    /// What keeps alerts from arriving now; nil for nothing.
    public var problem: String?
  }

  /// What checks of the fleet say of the workload.
  public var results: [CheckResult]?
  public var traffic: Traffic?
  /// Share of the keys with a TTL that expire in the fullest second; nil where keys are not sampled.
  public var ttlCrowdingRatio: Double?
  public var members: Members?
  /// What was verified, the newest first.
  public var reports: [CheckReport]?
  /// When a failover, an arrival or a departure last changed who the members are; nil where none is known.
  public var topologyChanged: WallTime?
  /// The Alertmanagers; empty where none is configured.
  public var deliveries: [Delivery]?
  /// Nil where no list of keys was given.
  public var presence: KeyPresence?
  public var ticks = ReadinessTicks()
  /// Why what only a daemon knows is missing.
  public var blindness = "only a daemon's history tells: give --url"

  public init() {}
}

extension ReadinessEvidence {
  /// Takes what `/api/v1/fleet/NAME` says.
  public mutating func note(fleet data: JSONValue) {
    guard let workload = data["workloads"]?.elements.first else { return }
    var traffic = Traffic()
    let told = workload["traffic"]
    traffic.memoryUsedRatio = told?["memoryUsedRatio"]?.number
    traffic.latencyP99Seconds = told?["latencyP99Seconds"]?.number
    traffic.hitRatio = told?["hitRatio"]?.number
    traffic.clientsUsedRatio = told?["clientsUsedRatio"]?.number
    traffic.eventLoopBusyRatio = told?["eventLoopBusyRatio"]?.number
    self.traffic = traffic
    ttlCrowdingRatio = workload["ttlCrowdingRatio"]?.number
    var members = Members()
    for member in workload["members"]?.elements ?? [] where member["state"]?.string == "up" {
      switch member["role"]?.string {
      case "master": members.masters += 1
      case "replica": members.replicas += 1
      case "sentinel": members.sentinels += 1
      default: break
      }
    }
    self.members = members
  }

  /// Takes what `/api/v1/results` says.
  public mutating func note(results data: JSONValue, now: WallTime) {
    reports = (data["results"]?.elements ?? []).compactMap { value in
      var json = JSONWriter()
      json.write(value)
      return try? CheckReport(json: json.bytes, now: now)
    }
  }

  /// Takes what `/api/v1/notifications` says.
  public mutating func note(notifications data: JSONValue) {
    deliveries = (data["alertmanagers"]?.elements ?? []).map { one in
      Delivery(
        alertmanager: oneLine((one["alertmanager"]?.string ?? "").cut(toBytes: 200)),
        lastAccepted: one["lastAccepted"]?.string.flatMap(ReadinessTicks.time),
        problem: one["problem"]?.string.map { oneLine($0.cut(toBytes: 200)) })
    }
  }

  /// Takes what `/api/v1/events` says of one kind.
  public mutating func note(events data: JSONValue) {
    let times = (data["events"]?.elements ?? []).compactMap { $0["time"]?.string.flatMap(ReadinessTicks.time) }
    topologyChanged = ([topologyChanged] + times).compactMap { $0 }.max()
  }
}
