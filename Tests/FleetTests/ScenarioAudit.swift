import Config
import Redis
import Runtime

@testable import Fleet

/// What a look over a server's security brings in a scenario: a server without a fault, and then what the lines say.
struct ScenarioAudit {
  private var settings = [
    "bind": "10.0.0.1", "protected-mode": "yes", "port": "0", "tls-port": "6379", "tls-replication": "yes",
    "tls-cluster": "yes", "tls-protocols": "TLSv1.2 TLSv1.3", "tls-auth-clients": "yes", "enable-debug-command": "no",
    "enable-module-command": "no", "enable-protected-configs": "no", "dir": "/var/lib/redis", "dbfilename": "dump.rdb",
  ]
  private var users: [String: AuditUser] = [:]
  private var commands: Set<String> = []
  private var clients: [AuditClient] = []
  private var denials: [(user: String, command: String, count: Int, age: Double)] = []
  private var modules: [AuditModule] = []
  private var unknown: [String: String] = [:]
  private var stranger = AuditReading.Stranger.refused
  private var address: String? = "10.0.0.1"
  private var localAddresses: Set<String> = []
  private var usesTLS = true
  private var buildID: String?
  private var advisories: AuditAnswer<Shared<Advisories>>?
  private var isContainer = false
  private var ownUser = "redline"
  private var certificateDays: Double?
  private var passwordDays: Double?

  /// One line; its first word says what it is about, as README.md lists.
  mutating func take(_ line: Substring) throws {
    let words = line.split(separator: " ").map(String.init)
    let rest = Array(words.dropFirst())
    switch words[0] {
    case "ok": self = ScenarioAudit()
    case "setting": settings[rest[0]] = rest.dropFirst().joined(separator: " ")
    case "user":
      var user = AuditUser(name: rest[0])
      for word in rest.dropFirst() {
        if word == "all-keys" { user.hasAllKeys = true }
        if let command = DangerousCommand.allCases.first(where: { $0.rawValue.replacing(" ", with: "-") == word }) {
          user.reach.insert(command)
        }
      }
      users[user.name] = user
    case "commands": commands = Set(rest)
    case "client": clients.append(client(rest))
    case "no-clients": clients = []
    case "denied": denials.append((rest[0], rest[1], Int(rest[2]) ?? 0, Double(rest[3].dropLast()) ?? 0))
    case "module": modules.append(AuditModule(name: rest[0], path: rest.count > 1 ? rest[1] : nil))
    case "stranger":
      stranger = rest[0] == "served" ? .served : rest[0] == "kept-out" ? .keptOut : .refused
    case "address": address = rest[0] == "none" ? nil : rest[0]
    case "local": localAddresses = Set(rest)
    case "plain": usesTLS = false
    case "build": buildID = rest[0]
    case "advisories":
      let text = Fixture.bytes("advisories.json") ?? []
      advisories =
        rest.isEmpty
        ? .known(Shared(try Advisories.parse(text, file: "advisories.json"))) : .unknown(rest.joined(separator: " "))
    case "container": isContainer = true
    case "own": ownUser = rest[0]
    case "certificate": certificateDays = Double(rest[0].dropLast())
    case "password-age": passwordDays = Double(rest[0].dropLast())
    case "unknown": unknown[rest[0]] = rest.dropFirst().joined(separator: " ")
    default: throw Scenario.Problem(description: "\"\(words[0])\" is nothing that an audit brings")
    }
  }

  /// `NAME USER HOST`, then `server`, `declared`, `forbidden` or `own`; a dash for no name.
  private func client(_ words: [String]) -> AuditClient {
    func bytes(_ text: String) -> ArraySlice<UInt8> { text == "-" ? [] : Array(text.utf8)[...] }
    return AuditClient(
      origin: ClientOrigin(name: bytes(words[0]), user: bytes(words[1]), host: bytes(words[2])), user: words[1],
      isServer: words.contains("server"), isDeclared: words.contains("declared"),
      isForbidden: words.contains("forbidden"), isOwn: words.contains("own"))
  }

  func reading(at now: WallTime, asked: [String] = []) -> AuditReading {
    func answer<Value: Sendable>(_ name: String, _ value: Value) -> AuditAnswer<Value> {
      unknown[name].map { .unknown($0) } ?? .known(value)
    }
    var reading = AuditReading(ownUser: ownUser, usesTLS: usesTLS, at: now)
    reading.settings = answer("settings", settings)
    reading.askedSettings = Set(settings.keys).union(asked)
    reading.commands = answer(
      "commands",
      Dictionary(uniqueKeysWithValues: AuditLook.containers.map { ($0, commands.contains($0)) }))
    reading.users = answer("users", users.values.sorted { $0.name < $1.name })
    reading.clients = answer("clients", clients)
    reading.denials = answer(
      "denials",
      denials.map { denial in
        AuditDenial(
          origin: ClientOrigin(name: [], user: Array(denial.user.utf8)[...], host: Array("10.0.0.7".utf8)[...]),
          command: denial.command, count: denial.count, at: now - denial.age)
      })
    reading.modules = answer("modules", modules)
    reading.stranger = answer("stranger", stranger)
    reading.way.address = address.flatMap { IPAddress($0) }
    reading.way.localAddresses = localAddresses
    reading.process.id = isContainer ? 1 : 4711
    reading.process.buildID = buildID
    reading.advisories = advisories
    reading.process.executable = "/usr/bin/redis-server"
    reading.way.certificateEnd = certificateDays.map { now + $0 * 86_400 }
    reading.credentialsChanged = passwordDays.map { now - $0 * 86_400 }
    return reading
  }
}
