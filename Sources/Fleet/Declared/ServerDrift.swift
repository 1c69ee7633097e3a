import Config
import Redis
import Runtime

/// A server of a workload, or one of its Sentinels, beside the file that declares its settings.
public struct ServerDrift: Sendable, Equatable {
  public let workload: String
  public let instance: String
  /// The declared file.
  public let file: String
  /// Whether the server answers and was asked at all.
  let isKnown: Bool
  public let drift: DeclaredDrift

  /// `differs from …`; nil where nothing differs.
  var text: String? { drift.text(of: file) }
}

extension WorkloadState {
  /// How each server stands to the declared files; of a Sentinel, what it says about the master.
  func drifts(from declared: DeclaredWorkload) -> [ServerDrift] {
    var drifts: [ServerDrift] = []
    if let (path, settings) = declared.settings {
      drifts += watched.map { member in
        ServerDrift(
          workload: config.name, instance: member.instance, file: path,
          isKnown: member.facts != nil && member.audit != nil,
          drift: drift(of: member, from: settings))
      }
    }
    if let (path, sentinel) = declared.sentinel {
      drifts += following.sentinelServers.monitored.sorted { $0.key < $1.key }.map { address, master in
        ServerDrift(
          workload: config.name, instance: name(address), file: path, isKnown: true, drift: sentinel.drift(master))
      }
    }
    return drifts
  }

  private func drift(of member: Member, from settings: DeclaredSettings) -> DeclaredDrift {
    guard let facts = member.facts, let reading = member.audit else {
      let reason =
        member.facts == nil
        ? member.blindness : config.audit.interval == nil ? "audit.interval is off" : DeclaredSettings.notAsked
      return settings.drift(answers: .unknown(reason), asked: [], told: [:], commands: .unknown(reason))
    }
    return settings.drift(
      answers: reading.settings, asked: reading.askedSettings, told: Self.told(reading, facts),
      commands: reading.commands)
  }

  /// Settings that INFO has, for servers that let nobody see CONFIG.
  private static func told(_ reading: Shared<AuditReading>, _ facts: Shared<MemberFacts>) -> [String: String] {
    var told: [String: String] = [:]
    told["maxmemory"] = facts.memory.maxBytes.map(String.init)
    told["maxmemory-policy"] = facts.memory.policy
    told["maxclients"] = facts.maxClients.map(String.init)
    told["hz"] = reading.process.configuredHz.map(String.init)
    told["appendonly"] = facts.persistence.isTold ? facts.persistence.isAOFEnabled ? "yes" : "no" : nil
    // Without a port for plain connections it is that for TLS.
    told["port"] = reading.way.usesTLS ? nil : reading.process.tcpPort.map(String.init)
    return told
  }
}
