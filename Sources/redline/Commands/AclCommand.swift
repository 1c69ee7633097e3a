import ArgumentParser
import Config
import Fleet
import Redis

/// Prints the ACL users that a configuration needs, with every right that it uses and no other.
struct AclCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "acl", abstract: "Print the Redis ACL user that a configuration needs, and nothing more.",
    usage: "redline acl [--server redis-7.0] [--user redline] [--setuser] [--features] [FILE|ADDRESS] [FLAGS]",
    discussion: """
      Give the fleet's file or an address, and the flags that the daemon is started with: what they switch on is what \
      the user may do. Lines are for redis.conf or an ACL file; --setuser prints commands for redis-cli. Put the \
      password in the place of PASSWORD. redline check-access then says whether servers agree.

      Exits with 0, or with 2 when the configuration cannot be used.

      Example: redline acl --server valkey-8.1 /etc/redline/redline.yml
      """)

  @Option(help: "The servers' product and version, such as redis-6.2, redis-7.0 or valkey-8.1.")
  var server = ServerVersion(argument: "redis-7.0")!

  @Option(help: "The user's name where the configuration has none.")
  var user = "redline"

  @ArgumentParser.Flag(help: "Print ACL SETUSER commands.")
  var setuser = false

  @ArgumentParser.Flag(help: "Print a table of what each feature needs, and what is not known without it.")
  var features = false

  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp("The file or address, and flags of the daemon.", valueName: "configuration"))
  var words: [String] = []

  /// A user of some of the servers.
  private struct Entry {
    var subjects: [String]
    let user: String
    let needs: [AccessNeed]
  }

  func run() throws {
    if let first = words.first, ["--help", "-h", "-help"].contains(first) { throw CleanExit.helpRequest(self) }
    let subject: AccessSubject
    do {
      subject = try AccessSubject(words, environment: processEnvironment())
    } catch {
      Redline.printError("\(error)")
      throw ExitCode(Redline.usageStatus)
    }
    let entries = try subject.fleet.map { fleetEntries($0, subject) } ?? targetEntries(subject)
    if features { return printFeatures(entries.flatMap(\.needs), subject) }
    var seen: [String: Int] = [:]
    var lines: [(text: String, subjects: [String])] = []
    for entry in entries {
      let rules = AccessRules(
        entry.needs, version: server.redisVersion, configCommand: subject.options.redis.configCommand)
      let text =
        (setuser ? "ACL SETUSER \(entry.user) reset on >PASSWORD " : "user \(entry.user) on >PASSWORD ") + rules.text
      if let place = seen[text] {
        lines[place].subjects += entry.subjects
      } else {
        seen[text] = lines.count
        lines.append((text, entry.subjects))
      }
    }
    for (index, line) in lines.enumerated() {
      if index > 0 { print() }
      print("# \(line.subjects.joined(separator: "; "))\n\(line.text)")
    }
    if entries.contains(where: { $0.needs.contains { $0.feature == FollowRights.feature } }) {
      print("\n" + FollowRights.notice.split(separator: "\n").map { "# \($0)" }.joined(separator: "\n"))
    }
    if !subject.options.keys.scripts.isEmpty { print("\n# Scripts run with these rights: add what they call.") }
  }

  private func fleetEntries(_ fleet: FleetConfig, _ subject: AccessSubject) -> [Entry] {
    var entries: [Entry] = []
    for workload in fleet.workloads {
      let mode: ServerFacts.Mode = workload.topology == .cluster ? .cluster : .standalone
      entries.append(
        Entry(
          subjects: ["servers of \(workload.name)"], user: workload.login?.user ?? user,
          needs: subject.member(of: workload, server.facts(mode))))
    }
    for workload in fleet.workloads {
      guard let group = workload.sentinel else { continue }
      let facts = server.facts(.sentinel, sentinelMasters: [group.masterName])
      entries.append(
        Entry(
          subjects: ["Sentinels of \(workload.name)"], user: group.login?.user ?? user,
          needs: subject.sentinel(facts, masterNames: [group.masterName])))
    }
    return entries
  }

  private func targetEntries(_ subject: AccessSubject) throws -> [Entry] {
    let redis = subject.options.redis
    let address = try redis.address.map { try RedisAddress($0) }
    let user = address?.user ?? redis.user ?? user
    func entry(_ name: String, _ facts: ServerFacts) -> Entry {
      Entry(subjects: [name], user: user, needs: subject.target(facts, database: address?.database ?? 0))
    }
    let node = entry("a node of a cluster", server.facts(.cluster))
    if redis.isCluster { return [node] }
    return [
      entry("a server on its own, or with replicas", server.facts(.standalone)), node,
      entry("a Sentinel", server.facts(.sentinel, sentinelMasters: ["mymaster"])),
    ]
  }

  private func printFeatures(_ needs: [AccessNeed], _ subject: AccessSubject) {
    var order: [String] = []
    var byFeature: [String: [AccessNeed]] = [:]
    for need in needs {
      if byFeature[need.feature] == nil { order.append(need.feature) }
      byFeature[need.feature, default: []].append(need)
    }
    print("| feature | rules | without it is missing |\n|---|---|---|")
    for feature in order {
      let needs = byFeature[feature] ?? []
      let rules = AccessRules(
        needs, version: server.redisVersion, configCommand: subject.options.redis.configCommand)
      let words = (rules.keys + rules.channels + rules.commands).map { "`\($0)`" }.joined(separator: " ")
      var lost: [String] = []
      for text in needs.flatMap(\.lost) where !lost.contains(text) { lost.append(text) }
      print("| \(feature) | \(words.replacing("|", with: "\\|")) | \(lost.joined(separator: ", ")) |")
    }
  }
}
