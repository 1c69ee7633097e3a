import Config
import NIOCore
import Redis
import Runtime

/// When looks at the servers' security begin.
enum AuditPace {
  /// Between two looks at whose look is due.
  static let interval: Duration = .seconds(5)
  /// After a workload is watched from, so that its members have been found.
  static let firstSeconds = 60.0
  /// Servers of all workloads that are looked over at once.
  static let parallelLimit = 4
}

/// Lets a few servers be looked over at once.
actor AuditTurns {
  private let turns = Turns(AuditPace.parallelLimit)

  func take() async { await turns.take() }
  func pass() { turns.pass() }
}

/// A look that is due.
struct DueAudit: Sendable {
  let address: NodeAddress
  let instance: String
  let look: AuditLook
  /// The file with redline's own password; nil where it is in none.
  let passwordFile: String?

  func take(in context: ConnectionContext) async -> AuditReading? {
    do {
      var reading = try await look.take(in: context) { .now }
      reading.advisories = await AdvisoryStore.shared.advisories(look.config.advisoriesFile)
      if let passwordFile {
        reading.credentialsChanged = try? await FileWork.shared.value(
          of: passwordFile, within: .seconds(1), isRecorded: false
        ) { () throws(FileProblem) in FileStamp(passwordFile)?.changed }
      }
      return reading
    } catch {
      return nil
    }
  }
}

/// Looks over those servers of a workload whose look is due, and judges what it brings.
enum AuditRound {
  /// The servers whose security is to be looked over now.
  ///
  /// - Parameter mayBeEarly: takes all that answer, whenever they were looked over last.
  static func due(_ workload: isolated Workload, mayBeEarly: Bool) -> [DueAudit] {
    let (config, now) = (workload.config, WallTime.now)
    guard let interval = mayBeEarly ? .zero : config.audit.interval else { return [] }
    guard mayBeEarly || Monotonic.now - workload.tracker.audit.began >= AuditPace.firstSeconds else { return [] }
    let passwordFile: String? = if case .file(let path) = config.login?.password { path } else { nil }
    let declared = workload.tracker.declared?.settings?.values
    let settings = Set(AuditSettings.names + (declared?.names ?? []))
    let commands = Set(AuditLook.containers + (declared?.commands ?? []))
    return workload.crew.members.sorted { $0.key < $1.key }.compactMap { address, node in
      guard let facts = node.reading.facts, node.reading.answers == true, !node.schedule.isBreakerOpen,
        facts.server.mode != .sentinel,
        mayBeEarly
          || workload.tracker.audit.isDue(
            address, every: interval / .seconds(1), asking: settings, commands, at: now)
      else { return nil }
      let look = AuditLook(
        connection: node.node.poller.options.connection, ownUser: config.login?.user ?? "default",
        configCommand: workload.factory.context.collectors.configCommand, settings: settings.sorted(),
        commands: commands.sorted(),
        config: config.audit, facts: facts)
      return DueAudit(address: address, instance: node.instance, look: look, passwordFile: passwordFile)
    }
  }

  /// - Returns: nil where no look is due.
  static func run(_ workload: isolated Workload, _ turns: AuditTurns, mayBeEarly: Bool) async -> AuditedWorkload? {
    let due = due(workload, mayBeEarly: mayBeEarly)
    guard mayBeEarly || !due.isEmpty else { return nil }
    workload.tracker.audit.noteAsked(due.map(\.address), at: .now)
    let context = workload.factory.context.connections
    let readings = await withTaskGroup(of: (DueAudit, AuditReading?).self) { group in
      for one in due {
        group.addTask {
          await turns.take()
          let reading = await one.take(in: context)
          await turns.pass()
          return (one, reading)
        }
      }
      var all: [(DueAudit, AuditReading?)] = []
      for await one in group { all.append(one) }
      return all
    }
    return take(readings, workload)
  }

  private static func take(
    _ readings: [(due: DueAudit, reading: AuditReading?)], _ workload: isolated Workload
  ) -> AuditedWorkload {
    var outcome = AuditedWorkload(name: workload.config.name)
    var instances: Set<String> = []
    for (due, reading) in readings {
      guard let reading, workload.crew.members[due.address] != nil else {
        outcome.failed += 1
        continue
      }
      outcome.lookedOver += 1
      instances.insert(due.instance)
      workload.tracker.audit.take(reading, of: due.address, instance: due.instance)
    }
    let verdict = Verdict(CheckCatalogue.audit, of: workload.state(at: .now))
    workload.tracker.audit.note(verdict, of: instances.sorted())
    workload.tracker.audit.forget(allBut: workload.crew.members.mapValues(\.instance))
    workload.store.keep(workload.tracker.audit.records, at: .now)
    for finding in workload.publish().findings where !finding.isKnown && CheckCatalogue.auditIDs.contains(finding.check)
    {
      if finding.subject.instance.map(instances.contains) ?? false { outcome.new[finding.severity, default: 0] += 1 }
    }
    return outcome
  }
}
