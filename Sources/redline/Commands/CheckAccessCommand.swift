import ArgumentParser
import Config
import Fleet
import Metrics
import NIOCore
import Redis
import Runtime

/// Logs in to servers as the daemon would, and says what they refuse and what is not known without it.
struct CheckAccessCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "access", abstract: "Log in to servers and say which commands they refuse.",
    usage: "redline check access [FILE|ADDRESS] [FLAGS]",
    discussion: """
      Give the fleet's file or an address, and the flags that the daemon is started with. Every command that they need \
      is sent once to each server, for keys that are not there; a refusal stands in the server's ACL log. The other \
      members of a fleet are found as the daemon finds them.

      With --scrape LIST it tries the targets that /scrape is to be asked for, as /scrape would: LIST has one on each line, \
      as in /scrape?target=, or is a JSON file for file_sd_configs of Prometheus. It says which are not allowed by \
      --scrape.allow, which cannot be reached, which want a password and get none, and which refuse a command; targets that are \
      alike are told together. Give the flags and the environment of the daemon, with its --redis.password-file.

      Exits with 0 when nothing is missing, with 1 when something is refused, with 2 when the configuration cannot be \
      used, and with 3 when a server cannot be asked.

      Example: redline check access --scrape targets.txt --redis.password-file passwords.json
      """)

  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp("The file or address, and flags of the daemon.", valueName: "configuration"))
  var words: [String] = []

  private static let unreachableStatus: Int32 = 3
  /// Families that are named of those that are missing.
  private static let shownLimit = 4

  /// A server to be asked.
  private struct Server: Sendable {
    let title: String
    let connection: ConnectionOptions
    let origin: AddressOrigin
    let timeout: TimeAmount
    let needs: @Sendable (ServerFacts) -> [AccessNeed]
  }

  func run() async throws {
    if let first = words.first, ["--help", "-h", "-help"].contains(first) { throw CleanExit.helpRequest(self) }
    let servers: [Server]
    let context: ConnectionContext
    do {
      if let (list, flags) = try Self.scrapeList(words) { return try await Self.tryTargets(of: list, flags) }
      let subject = try AccessSubject(words, environment: processEnvironment())
      context = subject.factory.context
      servers = try await subject.fleet.asyncMap { await Self.members(of: $0, subject) } ?? Self.target(subject)
    } catch let status as ExitCode {
      throw status
    } catch {
      Redline.printError("\(error)")
      throw ExitCode(Redline.usageStatus)
    }
    var (incomplete, unreachable) = (0, 0)
    for server in servers {
      do throws(RedisError) {
        let check = try await AccessCheck(
          server.connection, timeout: server.timeout, in: context, needs: server.needs)
        Self.report(check, of: server.title)
        if !check.isComplete { incomplete += 1 }
      } catch {
        print(
          "\(oneLine(server.title))\n  CANNOT BE ASKED: \(oneLine(KnownSecrets.masked("\(error.advised(server.origin))")))"
        )
        unreachable += 1
      }
    }
    let count = servers.count
    print(
      "\(count) server\(count == 1 ? "" : "s"): \(count - incomplete - unreachable) with all that is needed, "
        + "\(incomplete) without, \(unreachable) not asked")
    if unreachable > 0 { throw ExitCode(Self.unreachableStatus) }
    if incomplete > 0 { throw ExitCode(1) }
  }

  /// The list behind `--scrape`, and the other words; nil where there is none.
  private static func scrapeList(_ words: [String]) throws -> (list: String, flags: [String])? {
    guard let place = words.firstIndex(where: { word in ["--scrape", "-scrape"].contains(word.prefix { $0 != "=" }) })
    else { return nil }
    var flags = words
    let word = flags.remove(at: place)
    if let equals = word.firstIndex(of: "=") { return (String(word[word.index(after: equals)...]), flags) }
    guard place < flags.count else {
      throw ConfigErrors(ConfigError(.flag("scrape"), problem: "has no value", hint: "name the file with the targets"))
    }
    return (flags.remove(at: place), flags)
  }

  private static func tryTargets(of list: String, _ flags: [String]) async throws {
    let targets = try ScrapeTargetList(file: list).targets
    let subject = try AccessSubject(flags, environment: processEnvironment())
    guard subject.fleet == nil else {
      throw ConfigErrors(
        ConfigError(
          .flag("scrape"), problem: "is for targets of /scrape, not for a fleet", hint: "leave the fleet's file out"))
    }
    let report = await ScrapeAccess(subject: subject).run(targets) { count in
      Progress.show("asked \(count) of \(targets.count) targets")
    }
    Progress.show("")
    print(report.text)
    if report.status != 0 { throw ExitCode(report.status) }
  }

  private static func report(_ check: AccessCheck, of title: String) {
    let product = "\(check.facts.product) \(check.facts.valkeyVersion ?? check.facts.version)"
    print(oneLine("\(title) (\(KnownSecrets.masked(product)))"))
    let missing = check.verdicts.filter { !$0.reasons.isEmpty }
    for verdict in missing {
      let denied = verdict.reasons.compactMap { if case .denied(let rule) = $0 { rule } else { nil } }
      let unknown = verdict.reasons.compactMap { if case .unknown(let name) = $0 { name } else { nil } }
      if !denied.isEmpty { print("  DENIED \(verdict.need.feature): add \(denied.joined(separator: " "))") }
      if !unknown.isEmpty { print("  UNKNOWN \(verdict.need.feature): \(unknown.joined(separator: ", "))") }
      let lost = verdict.need.lost
      let further = lost.count - shownLimit
      print(
        "    missing without it: " + lost.prefix(shownLimit).joined(separator: ", ")
          + (further > 0 ? " and \(further) more" : ""))
    }
    if missing.isEmpty { print("  all that is needed is allowed") }
  }

  private static func target(_ subject: AccessSubject) throws -> [Server] {
    guard let text = subject.options.redis.address else {
      throw ConfigErrors(ConfigError(.flag("redis.addr"), problem: "is empty", hint: "name the server to log in to"))
    }
    let address: RedisAddress
    do throws(RedisAddressError) {
      address = try RedisAddress(text)
    } catch {
      throw ConfigErrors(ConfigError(.flag("redis.addr"), problem: "is no address: \(error)"))
    }
    return [
      Server(
        title: "\(address)", connection: subject.factory.connection(address, isTrusted: true),
        origin: .flags, timeout: TimeAmount(subject.options.redis.deadline)
      ) { subject.target($0, database: address.database) }
    ]
  }

  // MARK: A fleet

  private static func members(of config: FleetConfig, _ subject: AccessSubject) async -> [Server] {
    let found = await FleetSearch.run(config, subject) { await $0.members() }
    return servers(found, config, subject)
  }

  /// One for each address; a Sentinel may watch masters of several workloads.
  private static func servers(_ members: [FleetMember], _ config: FleetConfig, _ subject: AccessSubject) -> [Server] {
    var servers: [Server] = []
    var seen: Set<RedisAddress> = []
    for member in members where seen.insert(member.address).inserted {
      let options = member.node.poller.options
      let isSentinel = member.role == .sentinel
      let workloads = members.filter { $0.address == member.address }.compactMap { config.workload(named: $0.workload) }
      servers.append(
        Server(
          title: "\(member.workload) \(member.address)\(isSentinel ? " (Sentinel)" : "")",
          connection: options.connection, origin: options.origin, timeout: options.timeout
        ) { facts in
          isSentinel
            ? subject.sentinel(facts, masterNames: workloads.compactMap { $0.sentinel?.masterName })
            : workloads.flatMap { subject.member(of: $0, facts) }
        })
    }
    return servers
  }
}

extension Optional where Wrapped: Sendable {
  fileprivate func asyncMap<Result>(_ transform: (Wrapped) async -> Result) async -> Result? {
    if let value = self { return await transform(value) }
    return nil
  }
}
