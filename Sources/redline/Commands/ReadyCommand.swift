import ArgumentParser
import Config
import Drills
import Fleet
import NIOPosix
import Redis
import Runtime

/// Says whether a workload is ready for a peak, with what that rests on.
struct ReadyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ready", abstract: "Say whether a workload is ready for a peak, line by line and with evidence.",
    discussion: """
      Only reads. With --url the evidence is that of the daemon: what was verified and when, what its checks find, memory, p99 \
      and hit ratio, who the members are, whether alerts arrive. Without it the servers are polled once, and the rest is \
      unknown. The lines are a calendar: what must hold two weeks before, one week before and on the day. What only people \
      know is ticked in the file of --ticks, a line `SUBJECT DATE WHO` each. Objectives are those of `peak` in the \
      configuration, and never looser than memory 80%, p99 5 ms and a hit ratio of 85%.

      Exits with 0 when every line is ok, with 1 for a finding, with 2 when the configuration or the file of ticks cannot be \
      used, with 3 when something is unknown, and with 64 for wrong arguments.

      Example: redline ready /etc/redline/redline.yml --workload carts --factor 10 --url http://127.0.0.1:9121
      """)

  @OptionGroup var options: ReportOptions

  @Option(help: "How many times the load of today the peak is.")
  var factor: Double = 10

  @Option(
    help: ArgumentHelp("File with keys, one a line, that must be there on the day; of database 0.", valueName: "file"),
    completion: .file())
  var warmKeys: String?

  @Option(help: ArgumentHelp("File of what people have looked at themselves.", valueName: "file"), completion: .file())
  var ticks: String?

  private static let keysBytes = 4 << 20

  func validate() throws {
    guard factor >= 1, factor <= 1000 else { throw ValidationError("--factor is a number from 1 to 1000") }
  }

  func run() async throws { try await ReportOptions.exit(by: look) }

  private func look() async throws -> Int32 {
    guard let name = options.workload else {
      throw ConfigErrors(
        ConfigError(.flag("workload"), problem: "is missing", hint: "name the workload that has a peak before it"))
    }
    let began = WallTime.now
    let (config, path) = try options.load()
    guard let workload = config.workload(named: name) else { throw ExitCode(Redline.usageStatus) }
    var evidence = ReadinessEvidence()
    if let ticks { evidence.ticks = try await Self.ticks(of: ticks) }
    let keys = try await warmKeys.asyncMap { try await Self.keys(of: $0) }
    let subject = try AccessSubject(["--config.file", path], environment: processEnvironment())
    if let url = options.daemon.url { try await ask(url, name, &evidence) }
    if options.daemon.url == nil || keys != nil {
      Progress.show("looks at \(name)")
      defer { Progress.show("") }
      let polled = await FleetSearch.run(config, subject) { fleet in
        let presence = await keys.asyncMap {
          await KeyPresence.look(at: $0, of: await fleet.members(), in: subject.factory.context)
        }
        return (
          results: await fleet.checkResults(), overview: await fleet.overview(of: name).first, presence: presence
        )
      }
      evidence.presence = polled.presence
      if options.daemon.url == nil { evidence.note(polled: polled.overview, polled.results) }
    }
    let readiness = Readiness(workload, factor: factor, evidence, now: .now)
    let lines = readiness.lines
    let results = readiness.results(lines)
    let text = ReadinessText(workload: name, factor: factor, lines)
    switch options.format {
    case .text: print(text.plain, terminator: "")
    case .markdown: print(text.markdown, terminator: "")
    case .json: print(text.json(results), terminator: "")
    }
    return await readiness.report(lines, startedAt: began).left(
      in: config.results, status: options.status(of: results), daemon: options.daemon)
  }

  /// What the daemon knows. What it does not have is left out: a line is unknown then.
  private func ask(_ url: String, _ name: String, _ evidence: inout ReadinessEvidence) async throws {
    let word = name.percentEncoded()
    evidence.blindness = "the daemon does not know it"
    evidence.note(fleet: try await options.daemon.ask(url, "fleet/\(word)"))
    evidence.results = try await options.daemon.checkResults(url, workload: name)
    var reports: [CheckReport] = []
    for check in ["backup", "drill", "load"] {
      evidence.note(
        results: try await options.daemon.ask(url, "results?workload=\(word)&check=\(check)&limit=20"), now: .now)
      reports += evidence.reports ?? []
    }
    evidence.reports = reports
    for kind in ["failover", "arrival", "departure"] {
      evidence.note(events: try await options.daemon.ask(url, "events?workload=\(word)&kind=\(kind)"))
    }
    evidence.note(notifications: try await options.daemon.ask(url, "notifications"))
  }

  private static func ticks(of path: String) async throws -> ReadinessTicks {
    let bytes = try await Self.bytes(path, flag: "ticks", limitBytes: ReadinessTicks.limitBytes)
    return try ReadinessTicks(String(decoding: bytes, as: UTF8.self), file: path)
  }

  private static func keys(of path: String) async throws -> [[UInt8]] {
    let bytes = try await Self.bytes(path, flag: "warm-keys", limitBytes: keysBytes)
    let keys = bytes.split(separator: UInt8(ascii: "\n")).map { line in
      line.last == UInt8(ascii: "\r") ? Array(line.dropLast()) : Array(line)
    }.filter { !$0.isEmpty }
    guard keys.count <= KeyPresence.keyLimit else {
      throw ConfigErrors(
        ConfigError(
          .flag("warm-keys"), problem: "names a file with \(keys.count) keys",
          hint: "list the \(KeyPresence.keyLimit) that matter most, or a sample"))
    }
    return keys
  }

  private static func bytes(_ path: String, flag: String, limitBytes: Int) async throws -> [UInt8] {
    do throws(FileProblem) {
      return try await FileWork.shared.value(of: path, isRecorded: false) { () throws(FileProblem) in
        try RegularFile.bytes(path, limitBytes: limitBytes)
      }
    } catch {
      throw ConfigErrors(
        ConfigError(.flag(flag), problem: "names \(path), which cannot be read: \(error.reason)"))
    }
  }
}

extension ReadinessEvidence {
  /// Takes what one poll tells.
  fileprivate mutating func note(polled overview: WorkloadOverview?, _ results: [CheckResult]) {
    self.results = results
    guard let overview else { return }
    var traffic = Traffic()
    traffic.memoryUsedRatio = overview.traffic.memoryUsedRatio
    traffic.clientsUsedRatio = overview.traffic.clientsUsedRatio
    self.traffic = traffic
    var members = Members()
    for member in overview.groups.flatMap(\.members) where member.watched.node.poller.newest?.state.isUp == true {
      switch member.watched.role {
      case .master: members.masters += 1
      case .replica: members.replicas += 1
      case .sentinel: members.sentinels += 1
      case .unknown: break
      }
    }
    self.members = members
  }
}

extension Optional {
  fileprivate func asyncMap<Result>(_ body: (Wrapped) async throws -> Result) async rethrows -> Result? {
    guard let self else { return nil }
    return try await body(self)
  }
}
