import Config
import Redis
import Runtime

/// The settings that the checks of the audit read, each by its name.
enum AuditSettings {
  static let names = [
    "bind", "protected-mode", "port", "tls-port", "tls-replication", "tls-cluster", "tls-protocols", "tls-auth-clients",
    "enable-debug-command", "enable-module-command", "enable-protected-configs", "dir", "dbfilename",
  ]
}

extension AuditedServer {
  /// The settings, or nil once the check has said that they are unknown.
  func settings(_ verdict: inout Verdict) -> [String: String]? {
    answer(reading.settings, &verdict)
  }

  func answer<Value>(_ answer: AuditAnswer<Value>, _ verdict: inout Verdict) -> Value? {
    switch answer {
    case .known(let value): return value
    case .unknown(let reason):
      verdict.unknown(.node(name), reason)
      return nil
    }
  }

  /// Where the server listens: by its settings, else by INFO; nil where neither tells.
  var listeners: [String]? {
    if let bind = reading.setting("bind") { return bind.split(separator: " ").map(String.init) }
    return reading.process.listeners.isEmpty ? nil : reading.process.listeners
  }

  /// Whether nobody beyond the machine can connect; nil where that is not known.
  var isOnThisMachineOnly: Bool? {
    if reading.setting("port") == "0", (reading.setting("tls-port") ?? "0") == "0" { return true }
    guard let listeners else { return nil }
    return !listeners.isEmpty && listeners.allSatisfy { Self.address($0)?.scope == .loopback }
  }

  /// The address of a listener; a dash before it says that it may be missing.
  static func address(_ listener: String) -> IPAddress? {
    IPAddress(listener.hasPrefix("-") ? String(listener.dropFirst()) : listener)
  }

  /// Whether it replicates a master that is no member, though the workload has another.
  var followsStranger: Bool {
    guard let master = facts.replication?.masterAddress, let view = state.following.replication else { return false }
    return view.misledReplicas.contains(address) && state[master] == nil && !state.following.aliases.contains(master)
  }

  /// Whether the server runs in a container: there it is the first process.
  var isInContainer: Bool { reading.process.id == 1 }

  /// Whether a login is asked for; nil where that is not known.
  var wantsLogin: Bool? { reading.stranger.value.map { $0 == .refused } }

  /// Who uses the server to replicate or to watch: their rights are needed.
  private var serverUsers: Set<String> {
    Set((reading.clients.value ?? []).filter(\.isServer).map(\.user))
  }

  /// Whose rights are judged: no declared admin, nobody who replicates or watches, and not redline's own user.
  func judged(_ users: [AuditUser]) -> [AuditUser] {
    users.filter { user in
      !config.admins.contains(user.name) && (user.name == "default" || !serverUsers.contains(user.name))
        && (user.name == "default" || user.name != reading.ownUser)
    }
  }

  /// Whether anybody was seen connected as a user: whether a user is on, only lists with hashes of passwords tell.
  func isInUse(_ user: AuditUser) -> Bool {
    user.name == reading.ownUser || reading.record.lastSeen[user.name] != nil
      || reading.clients.value?.contains { $0.user == user.name } ?? false
  }

  /// Whether all log in as `default`: the password is all that guards the server.
  static func hasDefaultAlone(_ users: [AuditUser]) -> Bool { users.map(\.name) == ["default"] }

  static func list(_ names: [String], limit: Int = 5) -> String {
    let more = names.count - limit
    return more > 0
      ? names.prefix(limit).joined(separator: ", ") + " and \(more) more" : names.joined(separator: ", ")
  }

  /// A user's name as pages show it.
  static func shown(_ user: String) -> String { KnownSecrets.masked(oneLine(user.cut(toBytes: 64))) }
}

/// Anybody may use the server: PING is answered without a login.
struct OpenLogin: AuditCheck {
  let audit = AuditCheckID.openLogin
  let alertsAtOnce = true

  func judge(_ server: AuditedServer, into verdict: inout Verdict) {
    guard server.answer(server.reading.stranger, &verdict) == .served else { return }
    if server.isOnThisMachineOnly == true {
      verdict.find(
        .info, node: server.name, "asks nobody to log in; it can be reached from its own machine only")
    } else {
      verdict.find(
        .critical, node: server.name,
        "asks nobody to log in: anybody who reaches it may read and delete everything. Give its users passwords")
    }
  }
}

/// The server has an address that the internet reaches.
struct PublicAddress: AuditCheck {
  let audit = AuditCheckID.publicAddress
  let alertsAtOnce = true

  func judge(_ server: AuditedServer, into verdict: inout Verdict) {
    let reading = server.reading
    var addresses = Set(reading.way.localAddresses.compactMap { IPAddress($0) }.filter(\.isPublic).map(\.text))
    for listener in server.listeners ?? [] {
      if let address = AuditedServer.address(listener), address.isPublic { addresses.insert(address.text) }
    }
    if let address = reading.way.address, address.isPublic { addresses.insert(address.text) }
    if !addresses.isEmpty {
      let names = AuditedServer.list(addresses.sorted(), limit: 3)
      return verdict.find(
        .critical, node: server.name,
        "has an address of the internet: \(names). Bind it to a private one, or close the port")
    }
    guard server.listeners == nil, reading.clients.value == nil, let address = reading.way.address,
      address.scope == .loopback
    else { return }
    verdict.unknown(.node(server.name), "+config|get, or +client|list: redline reaches it over loopback alone")
  }
}

/// The server listens on every address of its machine.
struct BindWide: AuditCheck {
  let audit = AuditCheckID.bindWide

  func judge(_ server: AuditedServer, into verdict: inout Verdict) {
    guard let listeners = server.listeners else {
      if case .unknown(let reason) = server.reading.settings { verdict.unknown(.node(server.name), reason) }
      return
    }
    let wide = listeners.filter { listener in
      let text = listener.hasPrefix("-") ? String(listener.dropFirst()) : listener
      if text == "*" || text == "::*" { return true }
      guard let address = IPAddress(text) else { return false }
      return address.scope == .unspecified || address.isNetwork
    }
    guard !wide.isEmpty else { return }
    verdict.find(
      server.isInContainer ? .info : .warning, node: server.name,
      "listens on \(AuditedServer.list(wide, limit: 3)): every network of its machine reaches it. Name its address in bind"
    )
  }
}

/// Protected mode is off.
struct ProtectedModeOff: AuditCheck {
  let audit = AuditCheckID.protectedOff

  func judge(_ server: AuditedServer, into verdict: inout Verdict) {
    guard let settings = server.settings(&verdict), settings["protected-mode"] == "no" else { return }
    verdict.find(
      server.wantsLogin == true ? .info : .warning, node: server.name,
      "has protected-mode no: without a password it would serve any network")
  }
}

/// Users may run what ends, empties or opens the server, by its own verdict.
struct DangerReach: AuditCheck {
  let audit = AuditCheckID.dangerReach

  func judge(_ server: AuditedServer, into verdict: inout Verdict) {
    guard let users = server.answer(server.reading.users, &verdict) else { return }
    for user in server.judged(users) where !user.reach.isEmpty {
      let critical = user.reach.filter(\.isCritical)
      let name = AuditedServer.shown(user.name)
      let what = AuditedServer.list(user.reach.sorted().map(\.rawValue), limit: 6)
      if AuditedServer.hasDefaultAlone(users) {
        verdict.find(
          .warning, node: server.name, key: user.name,
          "has no user but default, who may run \(what): every client that knows the password may. Give each application a user of its own"
        )
      } else if server.isInUse(user) {
        verdict.find(
          critical.isEmpty ? .warning : .critical, node: server.name, key: user.name,
          "lets user \(name) run \(what). Take these rights away, or name the user in audit.admins")
      } else {
        verdict.find(
          .info, node: server.name, key: user.name,
          "would let user \(name) run \(what), if that user is on: nobody was seen connected as it")
      }
    }
  }
}

/// Dangerous commands are there under their own names, and who may run them cannot be seen.
struct DangerPresent: AuditCheck {
  let audit = AuditCheckID.dangerPresent

  func judge(_ server: AuditedServer, into verdict: inout Verdict) {
    // Where the ACL is seen, what users may do decides.
    guard server.reading.users.value == nil else { return }
    guard let known = server.answer(server.reading.commands, &verdict) else { return }
    let present = DangerousCommand.allCases.filter { $0.isCritical && known[$0.container] == true }
    guard !present.isEmpty else { return }
    let names = Set(present.map { $0.container.uppercased() }).sorted()
    verdict.find(
      .warning, node: server.name,
      "has \(AuditedServer.list(names, limit: 8)) under their own names, and who may run them is not seen: rename them, or let redline see the ACL"
    )
  }
}

/// Users may read and write keys of any name.
struct AllKeys: AuditCheck {
  let audit = AuditCheckID.allKeys

  func judge(_ server: AuditedServer, into verdict: inout Verdict) {
    guard let users = server.answer(server.reading.users, &verdict) else { return }
    // One application has one user: whose keys would others' be?
    guard !AuditedServer.hasDefaultAlone(users) else { return }
    let names = server.judged(users).filter { $0.hasAllKeys && server.isInUse($0) }.map(\.name)
    guard !names.isEmpty else { return }
    let shown = AuditedServer.list(names.map(AuditedServer.shown))
    verdict.find(
      .warning, node: server.name, key: names.joined(separator: " "),
      "lets \(names.count == 1 ? "user" : "users") \(shown) read and write every key: give each the prefixes that are its own (~cart:*)"
    )
  }
}

/// DEBUG, MODULE or protected settings are open to clients.
struct DebugEnabled: AuditCheck {
  let audit = AuditCheckID.debugEnabled

  private static let names = ["enable-debug-command", "enable-module-command", "enable-protected-configs"]

  func judge(_ server: AuditedServer, into verdict: inout Verdict) {
    // Before 7.0 there is no such setting, and no such guard.
    guard server.facts.server.version >= Version(7), let settings = server.settings(&verdict) else { return }
    let open = Self.names.filter { settings[$0].map { $0 != "no" } ?? false }
    guard !open.isEmpty else { return }
    verdict.find(
      .warning, node: server.name, key: open.joined(separator: " "),
      "has \(AuditedServer.list(open.map { "\($0) \(settings[$0] ?? "")" })): set no")
  }
}

/// What an intruder leaves behind.
struct BreachSigns: AuditCheck {
  let audit = AuditCheckID.breachSigns

  private static let folders = ["/etc", "/var/spool/cron", "/root", "/usr", "/bin", "/sbin", "/lib"]
  private static let packages = ["/usr/", "/opt/", "/lib/", "/lib64/", "/snap/", "/nix/"]
  /// Where anybody may put a file.
  private static let openFolders = ["/tmp/", "/var/tmp/", "/dev/shm/", "/run/shm/"]

  func judge(_ server: AuditedServer, into verdict: inout Verdict) {
    if let settings = server.settings(&verdict) { judge(settings, server, &verdict) }
    if let modules = server.answer(server.reading.modules, &verdict) {
      let strange = modules.filter { $0.path.map { isStrange($0, server) } ?? false }.map(\.name)
      if !strange.isEmpty {
        verdict.find(
          .critical, node: server.name, key: "modules \(strange.joined(separator: " "))",
          "has loaded \(AuditedServer.list(strange)) from where no package puts modules: find out who loaded it")
      }
    }
    guard server.followsStranger else { return }
    verdict.find(
      .critical, node: server.name, key: "master",
      "replicates a master that nobody of this workload knows: its data is overwritten from there. Find out who sent REPLICAOF"
    )
  }

  private func judge(_ settings: [String: String], _ server: AuditedServer, _ verdict: inout Verdict) {
    if let folder = settings["dir"], Self.isForPrograms(folder) {
      verdict.find(
        .critical, node: server.name, key: "dir",
        "writes its files where programs of the machine look for theirs (CONFIG GET dir): find out who set that")
    }
    let file = settings["dbfilename"] ?? ""
    if file.hasSuffix(".so") || file.contains("authorized_keys") || file.contains("crontab") {
      verdict.find(
        .critical, node: server.name, key: "dbfilename",
        "writes its data into a file that programs of the machine would run or trust (CONFIG GET dbfilename): find out who set that"
      )
    }
  }

  private static func isForPrograms(_ folder: String) -> Bool {
    let path = folder.hasSuffix("/") ? folder : folder + "/"
    return path.contains("/.ssh/") || path.contains("/cron")
      || folders.contains { path.hasPrefix($0 + "/") && !path.hasPrefix("/usr/local/var/") }
  }

  /// Whether a module was loaded from where neither packages nor the server's own image have theirs.
  private func isStrange(_ path: String, _ server: AuditedServer) -> Bool {
    // A bare name is looked for along the path of the system's libraries, as Valkey's own Lua engine is.
    guard path.contains("/") else { return false }
    if Self.openFolders.contains(where: path.hasPrefix) { return true }
    if let folder = server.reading.setting("dir"), folder.count > 1, path.hasPrefix(folder + "/") { return true }
    if Self.packages.contains(where: path.hasPrefix) { return false }
    // An image that lies elsewhere has its modules beside its program.
    let image = server.reading.process.executable.map { executable in
      executable.split(separator: "/").dropLast().dropLast().map { "/\($0)" }.joined()
    }
    return image.map { $0.isEmpty || !path.hasPrefix($0 + "/") } ?? true
  }
}

/// Somebody is connected who is declared nowhere, or must not be.
struct ClientUnexpected: AuditCheck {
  let audit = AuditCheckID.clientUnexpected

  func judge(_ server: AuditedServer, into verdict: inout Verdict) {
    let config = server.config
    guard !config.clients.isEmpty || !config.forbiddenClients.isEmpty else { return }
    guard let clients = server.answer(server.reading.clients, &verdict) else { return }
    let others = clients.filter { !$0.isOwn && !$0.isServer }
    for client in others where client.isForbidden {
      verdict.find(
        .critical, node: server.name, key: "forbidden \(client.origin.place)",
        "serves \(client.origin.place), which audit.forbidden_clients keeps away")
    }
    guard !config.clients.isEmpty else { return }
    for client in others where !client.isDeclared && !client.isForbidden {
      verdict.find(
        .warning, node: server.name, key: client.origin.place,
        "serves \(client.origin.place), which audit.clients does not name")
    }
  }
}

/// Somebody tried what the ACL forbids.
struct DeniedAttempt: AuditCheck {
  let audit = AuditCheckID.deniedAttempt
  /// Of older attempts nothing is said.
  private static let seconds = 86_400.0

  func judge(_ server: AuditedServer, into verdict: inout Verdict) {
    guard let denials = server.answer(server.reading.denials, &verdict) else { return }
    let recent = denials.filter { server.state.wall - $0.at < Self.seconds }
    for (place, own) in Dictionary(grouping: recent, by: { $0.origin.place }).sorted(by: { $0.key < $1.key }) {
      let commands = Set(own.map { $0.command?.uppercased().replacing("|", with: " ") ?? "an unknown command" })
        .sorted()
      let count = own.reduce(0) { $0 + $1.count }
      verdict.find(
        .warning, node: server.name, key: "\(place) \(commands.joined(separator: " "))",
        "refused \(place) \(AuditedServer.list(commands)) \(count == 1 ? "once" : "\(count) times") within a day: a program that lacks a right, or somebody who tries"
      )
    }
  }
}

/// A user of the ACL whom nobody uses.
struct UserUnused: AuditCheck {
  let audit = AuditCheckID.userUnused
  private static let days = 30.0

  func judge(_ server: AuditedServer, into verdict: inout Verdict) {
    guard let users = server.answer(server.reading.users, &verdict),
      server.answer(server.reading.clients, &verdict) != nil
    else { return }
    let limit = Self.days * 86_400
    guard let since = server.reading.record.watchedSince, server.state.wall - since >= limit else {
      return verdict.notCompared(
        .node(server.name), "\(server.name) has been looked over for less than \(Int(Self.days)) days")
    }
    let unused = users.map(\.name).filter { name in
      name != "default" && name != server.reading.ownUser
        && server.reading.record.lastSeen[name].map { server.state.wall - $0 >= limit } ?? true
    }
    guard !unused.isEmpty else { return }
    verdict.find(
      .info, node: server.name, key: unused.joined(separator: " "),
      "has users that nobody was seen connected as for \(Int(Self.days)) days: \(AuditedServer.list(unused.map(AuditedServer.shown)))"
    )
  }
}

/// Redline's own credentials have not been changed for long.
struct CredentialAge: AuditCheck {
  let audit = AuditCheckID.credentialAge
  private static let days = 90

  func judge(_ server: AuditedServer, into verdict: inout Verdict) {
    guard server.state.config.login != nil else { return }
    guard let changed = server.reading.credentialsChanged else {
      return verdict.notCompared(
        .node(server.name), "redline's password for \(server.name) is in no file whose age would tell")
    }
    let age = (server.state.wall - changed) / 86_400
    guard age >= Double(Self.days) else { return }
    verdict.find(
      .warning, node: server.name,
      "is asked with a password that is at least \(Int(age)) days old; after \(Self.days) days it should be another")
  }
}
