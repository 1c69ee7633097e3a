import Config
import NIOCore
import Redis
import Runtime
import Transport

/// One server's security is looked over: on connections of its own, with commands that only read.
///
/// What users may do is asked of the server itself, by ACL DRYRUN, which runs nothing. Lists of the ACL and its users are
/// never asked for: they hold hashes of passwords. Settings are asked for by their names, so that no password is among them.
struct AuditLook: Sendable {
  let connection: ConnectionOptions
  /// Who the login is of; `default` where it names nobody.
  let ownUser: String
  /// CONFIG, or what it was renamed to; nil where it must not be used.
  let configCommand: String?
  /// Names of settings that are wanted.
  let settings: [String]
  /// Commands that COMMAND INFO is asked about, in lower case.
  var commands = AuditLook.containers
  let config: AuditConfig
  let facts: Shared<MemberFacts>

  /// For name, connection, login and everything that is asked.
  static let limit: TimeAmount = .seconds(5)
  /// Users that are asked about; of more, which come first is the server's choice.
  static let userLimit = 64
  static let entryLimit = 1000
  private static let logEntries = "128"
  /// Dry runs that are sent at once: a server needs some 6 microseconds for each.
  private static let batchSize = 128

  /// - Parameter clock: gives the wall time.
  func take(in context: ConnectionContext, clock: @Sendable () -> WallTime) async throws(RedisError) -> AuditReading {
    let deadline = NIODeadline.now() + Self.limit
    let own = try await Connection.open(connection, on: context.pollLoop, in: context, deadline: deadline)
    defer { own.close() }
    var reading = AuditReading(ownUser: ownUser, usesTLS: connection.address.usesTLS, at: clock())
    try await ask(own, deadline: deadline, into: &reading)
    reading.way.address = own.remoteIP.flatMap { IPAddress($0) }
    reading.way.certificateEnd = await own.certificateEnd()
    reading.stranger = await stranger(in: context, deadline: deadline)
    return reading
  }

  // MARK: What is asked

  /// The questions that need no answer of another.
  static func questions(
    _ settings: [String], commands: [String] = containers, for server: ServerFacts, configCommand: String?,
    isCrowded: Bool
  ) -> [(question: Question, command: Command)] {
    guard server.mode != .sentinel else { return [] }
    var all: [(Question, Command)] = [(.info, ["INFO", "SERVER"])]
    all.append((.commands, Command(["COMMAND", "INFO"] + commands)))
    if server.version >= Version(6) {
      all.append((.users, ["ACL", "USERS"]))
      all.append((.denials, ["ACL", "LOG", logEntries]))
    }
    if !isCrowded { all.append((.clients, ["CLIENT", "LIST"])) }
    all.append((.modules, ["MODULE", "LIST"]))
    if let configCommand { all += settings.map { (.setting, Command([configCommand, "GET", $0])) } }
    return all.map { (question: $0.0, command: $0.1) }
  }

  enum Question: Sendable { case info, commands, users, denials, clients, modules, setting }

  /// A key that nobody uses.
  private static let sampleKey = "redline-audit"

  /// What the server is asked about one user.
  static func trials(of user: String, _ known: [DangerousCommand]) -> [Command] {
    known.map { Command(["ACL", "DRYRUN", user] + $0.words) } + [
      Command(["ACL", "DRYRUN", user, "GET", sampleKey]), Command(["ACL", "DRYRUN", user, "SET", sampleKey, "1"]),
    ]
  }

  /// All commands that may be sent, for those who give rights.
  static func everyCommand(for server: ServerFacts, configCommand: String?, settings: [String]) -> [Command] {
    let first = questions(settings, for: server, configCommand: configCommand, isCrowded: false).map(\.command)
    guard server.mode != .sentinel, server.knowsDryRun else { return first }
    return first + trials(of: "default", DangerousCommand.allCases)
  }

  /// The names that COMMAND INFO is asked about.
  static let containers = Array(Set(DangerousCommand.allCases.map(\.container) + ["config"])).sorted()

  private func ask(
    _ connection: Connection, deadline: NIODeadline, into reading: inout AuditReading
  ) async throws(RedisError) {
    let isCrowded = facts.connectedClients > ClientsSource.limit
    let questions = Self.questions(
      settings, commands: commands, for: facts.server, configCommand: configCommand, isCrowded: isCrowded)
    reading.askedSettings = Set(settings)
    let replies = try await send(questions.map(\.command), on: connection, deadline: deadline)
    var found: [String: String] = [:]
    var refusal: String?
    for ((question, _), reply) in zip(questions, replies) {
      switch question {
      case .info: readInfo(reply, into: &reading)
      case .commands: reading.commands = answer(reply, right: "+command|info") { known($0) }
      case .users: break
      case .denials: reading.denials = answer(reply, right: "+acl|log") { denials($0, reading) }
      case .clients:
        reading.clients = answer(reply, right: "+client|list") { clients($0, into: &reading) }
      case .modules: reading.modules = answer(reply, right: "+module|list") { Self.modules($0) }
      case .setting:
        if reply.isError { refusal = refusal ?? Self.reason(reply, right: "+config|get") }
        if let parts = reply.elements, parts.count >= 2, let name = parts[0]?.text, let value = parts[1]?.text {
          found[name] = value.cut(toBytes: AuditReading.valueBytes)
        }
      }
    }
    if isCrowded {
      reading.clients = .unknown(
        "\(facts.connectedClients) clients are connected; CLIENT LIST is asked for up to \(ClientsSource.limit) only")
    }
    if configCommand == nil {
      reading.settings = .unknown("CONFIG may not be used (--config-command=-)")
    } else {
      reading.settings = found.isEmpty ? .unknown(refusal ?? "no setting was told") : .known(found)
    }
    if let place = questions.firstIndex(where: { $0.question == .users }), place < replies.count {
      reading.users = try await users(replies[place], reading, on: connection, deadline: deadline)
    } else {
      reading.users = .unknown("servers before 6.0 have no ACL")
    }
  }

  private func send(
    _ commands: [Command], on connection: Connection, deadline: NIODeadline
  ) async throws(RedisError) -> [Reply] {
    let exchange = await connection.send(CommandBatch(commands), deadline: deadline)
    if let failure = exchange.failure { throw failure }
    return exchange.replies.replies(in: 0..<exchange.replies.count)
  }

  /// A connection without a login and without a certificate of its own.
  private func stranger(
    in context: ConnectionContext, deadline: NIODeadline
  ) async -> AuditAnswer<AuditReading.Stranger> {
    var options = connection
    options.credentials = { () async throws(RedisError) in nil }
    options.clientName = nil
    options.tls.certificateFile = nil
    options.tls.keyFile = nil
    do throws(RedisError) {
      let connection = try await Connection.open(options, on: context.pollLoop, in: context, deadline: deadline)
      defer { connection.close() }
      let reply = try await send([["PING"]], on: connection, deadline: deadline)[0]
      if !reply.isError { return .known(.served) }
      return switch reply.errorCode {
      case "DENIED": .known(.keptOut)
      case "NOAUTH", "NOPERM", "WRONGPASS": .known(.refused)
      default: .unknown("PING without a login was answered by \(reply.errorCode ?? "an error")")
      }
    } catch {
      return switch error.errorClass {
      case .denied: .known(.keptOut)
      case .auth, .tls: .known(.refused)
      // A server that wants a certificate may hang up before it says so.
      case .closed where connection.address.usesTLS: .known(.refused)
      default: .unknown("a connection without a login failed: \(error.errorClass.rawValue)")
      }
    }
  }

  // MARK: What is read

  private func answer<Value: Sendable>(_ reply: Reply, right: String, _ read: (Reply) -> Value?) -> AuditAnswer<Value> {
    if reply.isError { return .unknown(Self.reason(reply, right: right)) }
    return read(reply).map { .known($0) } ?? .unknown("its reply has another form than Redis documents")
  }

  /// Why a command was not answered: the right that it lacks, or that the server does not know it.
  private static func reason(_ reply: Reply, right: String) -> String {
    switch reply.errorCode {
    case "NOPERM": right
    case "ERR": "the server does not know the command of \(right): too old, or renamed"
    case let code: "\(right) was answered by \(code ?? "an error")"
    }
  }

  private func readInfo(_ reply: Reply, into reading: inout AuditReading) {
    guard let bytes = reply.bytes, !reply.isError else { return }
    let info = InfoText(bytes)
    reading.process.buildID = info.text("redis_build_id")
    reading.process.executable = info.text("executable")
    reading.process.id = info.integer("process_id")
    reading.process.tcpPort = info.integer("tcp_port")
    reading.process.configuredHz = info.integer("configured_hz")
    // listener0:name=tcp,bind=127.0.0.1,bind=-::1,port=6379
    for number in 0..<16 {
      guard let listener = info["listener\(number)"] else { break }
      reading.process.listeners += InfoPairs(listener).filter { $0.key.elementsEqual("bind".utf8) }.map {
        String(foreign: $0.value)
      }
    }
  }

  /// A null for each command that the server does not know.
  private func known(_ reply: Reply) -> [String: Bool]? {
    guard let elements = reply.elements else { return nil }
    var known: [String: Bool] = [:]
    for (name, element) in zip(commands, elements) { known[name] = element.elements.map { $0.count > 0 } ?? false }
    return known.count == commands.count ? known : nil
  }

  private static func modules(_ reply: Reply) -> [AuditModule]? {
    guard let elements = reply.elements else { return nil }
    return elements.prefix(entryLimit).compactMap { module in
      guard let name = module.field("name")?.text else { return nil }
      let path = module.field("path")?.text
      return AuditModule(name: oneLine(name.cut(toBytes: 64)), path: path.flatMap { $0.isEmpty ? nil : $0 })
    }
  }

  private func denials(_ reply: Reply, _ reading: AuditReading) -> [AuditDenial]? {
    guard let elements = reply.elements else { return nil }
    return elements.prefix(Self.entryLimit).compactMap { entry in
      guard entry.field("reason")?.text == "command", let count = entry.field("count")?.integer,
        let age = entry.field("age-seconds")?.double, age.isFinite
      else { return nil }
      let client = entry.field("client-info")?.bytes.flatMap { ConnectedClient($0) }
      let user = client?.user ?? entry.field("username")?.bytes ?? []
      let name = client?.name ?? []
      // Redline looks what it may do, which is how this log gets entries of its own.
      guard !isOwn(name: name, user: user) else { return nil }
      return AuditDenial(
        origin: ClientOrigin(name: name, user: user, host: client?.host ?? []),
        command: entry.field("object")?.bytes.flatMap(CommandShape.commandName), count: count,
        at: reading.at - max(0, age))
    }
  }

  private func clients(_ reply: Reply, into reading: inout AuditReading) -> [AuditClient]? {
    guard let bytes = reply.bytes else { return nil }
    var found: Set<AuditClient> = []
    for line in bytes.split(separator: UInt8(ascii: "\n")).prefix(2 * ClientsSource.limit) {
      guard let client = ConnectedClient(line) else { continue }
      let address = client.serverAddress
      if let colon = address.lastIndex(of: UInt8(ascii: ":")), reading.way.localAddresses.count < Self.userLimit {
        reading.way.localAddresses.insert(String(foreign: address[..<colon]))
      }
      let isServer = client.kind == .replica || client.kind == .master || Self.isSentinel(client.name)
      func fits(_ declared: DeclaredClient) -> Bool { Self.fits(client, declared) }
      found.insert(
        AuditClient(
          origin: ClientOrigin(name: client.name, user: client.user, host: client.host),
          user: String(foreign: client.user), isServer: isServer,
          isDeclared: config.clients.contains(where: fits), isForbidden: config.forbiddenClients.contains(where: fits),
          isOwn: isOwn(name: client.name, user: client.user)))
    }
    return found.sorted {
      ($0.origin.title, $0.origin.network, $0.user) < ($1.origin.title, $1.origin.network, $1.user)
    }
  }

  private static func fits(_ client: ConnectedClient, _ declared: DeclaredClient) -> Bool {
    if let name = declared.name, !Glob(name).matches(client.name) { return false }
    if let user = declared.user, !client.user.elementsEqual(user.utf8) { return false }
    let host = String(decoding: client.host, as: UTF8.self)
    return declared.hosts.isEmpty || declared.hosts.allows(host: host)
  }

  /// `sentinel-3f0a9c21-cmd`, as Sentinels name their connections.
  private static func isSentinel(_ name: ArraySlice<UInt8>) -> Bool {
    name.starts(with: "sentinel-".utf8) && (name.hasSuffix("-cmd".utf8) || name.hasSuffix("-pubsub".utf8))
  }

  private func isOwn(name: ArraySlice<UInt8>, user: ArraySlice<UInt8>) -> Bool {
    if ownUser != "default" { return user.elementsEqual(ownUser.utf8) }
    return connection.clientName.map { name.elementsEqual($0.utf8) } ?? false
  }

  private func users(
    _ reply: Reply, _ reading: AuditReading, on connection: Connection, deadline: NIODeadline
  ) async throws(RedisError) -> AuditAnswer<[AuditUser]> {
    guard !reply.isError else { return .unknown(Self.reason(reply, right: "+acl|users")) }
    guard let elements = reply.elements else { return .unknown("its reply has another form than Redis documents") }
    guard facts.server.knowsDryRun else { return .unknown("servers before 7.0 have no ACL DRYRUN") }
    // A command that the server does not know would count as an error there.
    guard case .known(let known) = reading.commands else { return .unknown("+command|info") }
    let tried = DangerousCommand.allCases.filter { known[$0.container] == true }
    var users: [AuditUser] = []
    let names = elements.prefix(Self.userLimit).compactMap(\.text)
    let perUser = tried.count + 2
    for start in stride(from: 0, to: names.count, by: max(1, Self.batchSize / perUser)) {
      let some = names[start..<min(names.count, start + max(1, Self.batchSize / perUser))]
      let replies = try await send(
        some.flatMap { Self.trials(of: $0, tried) }, on: connection, deadline: deadline)
      for (place, name) in some.enumerated() {
        let own = replies[(place * perUser)..<((place + 1) * perUser)]
        if let refused = own.first(where: { $0.errorCode == "NOPERM" }) {
          return .unknown(Self.reason(refused, right: "+acl|dryrun"))
        }
        let isAllowed = own.map { $0.kind == .status && $0.text == "OK" }
        var user = AuditUser(name: name)
        for (command, isAllowed) in zip(tried, isAllowed) where isAllowed { user.reach.insert(command) }
        user.hasAllKeys = isAllowed.suffix(2).allSatisfy(\.self)
        users.append(user)
      }
    }
    return .known(users.sorted { $0.name < $1.name })
  }
}

extension ServerFacts {
  /// Whether ACL DRYRUN is there.
  var knowsDryRun: Bool { version >= Version(7) }
}

extension ArraySlice<UInt8> {
  fileprivate func hasSuffix(_ bytes: some Collection<UInt8>) -> Bool {
    suffix(bytes.count).elementsEqual(bytes)
  }
}
