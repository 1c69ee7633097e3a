import Fleet
import NIOCore
import Redis
import Runtime

/// What a server said to one question before an upgrade.
public enum Seen<Value: Sendable>: Sendable {
  case known(Value)
  /// A right such as `+config|get`, or why nothing is known.
  case unknown(String)

  var value: Value? { if case .known(let value) = self { value } else { nil } }
}

/// One server of a workload as it is before an upgrade. It is asked with commands that only read, and for settings by name.
public struct UpgradeServer: Sendable {
  public struct Module: Sendable, Equatable {
    public let name: String
    /// As the module counts.
    public let version: Int

    public init(name: String, version: Int) { (self.name, self.version) = (name, version) }
  }

  /// A user that a Sentinel is logged in as, and whether it may FAILOVER.
  public struct SentinelUser: Sendable, Equatable {
    public let name: String
    public let mayFailover: Bool

    public init(name: String, mayFailover: Bool) { (self.name, self.mayFailover) = (name, mayFailover) }
  }

  public let instance: String
  public let role: FleetMember.Role
  /// Servers of the same shard have the same number.
  public let shard: Int
  /// Nil where it does not answer, and for what is neither Redis nor Valkey.
  public var release: ServerRelease?
  /// Why it does not answer; nil where it does.
  public var silence: String?
  public var isLinkUp: Bool?
  public var modules: Seen<[Module]> = .unknown("not asked")
  /// Calls by the lower-case name of a command.
  public var commands: Seen<[String: Double]> = .unknown("not asked")
  public var settings: Seen<[String: String]> = .unknown("not asked")
  public var dumpAgeSeconds: Double?
  /// Of a master under Sentinels.
  public var sentinelUsers: Seen<[SentinelUser]> = .unknown("not asked")

  public init(instance: String, role: FleetMember.Role, shard: Int = 0) {
    (self.instance, self.role, self.shard) = (instance, role, shard)
  }
}

extension UpgradeServer {
  private static let seconds: Int64 = 5
  private static let moduleLimit = 64
  private static let userLimit = 16
  /// Of more, CLIENT LIST takes too long.
  private static let clientLimit = 5000

  /// Asks a server; what it does not say is unknown.
  public static func ask(
    _ server: UpgradeServer, _ options: ConnectionOptions, in context: ConnectionContext
  ) async -> UpgradeServer {
    var server = server
    let deadline = NIODeadline.now() + .seconds(seconds)
    let connection: Connection
    do throws(RedisError) {
      connection = try await Connection.open(options, in: context, deadline: deadline)
    } catch {
      server.silence = error.message
      return server
    }
    defer { connection.close() }
    let isSentinel = server.role == .sentinel
    let settings = isSentinel ? [] : ReleaseChanges.names
    let questions: [Command] =
      [["INFO"], ["INFO", "commandstats"], ["MODULE", "LIST"]] + settings.map { ["CONFIG", "GET", $0] }
    let asked = await connection.send(CommandBatch(questions), deadline: deadline)
    guard asked.failure == nil, !asked.replies[0].isError, let text = asked.replies[0].bytes else {
      server.silence = asked.failure?.message ?? "INFO is not answered: it needs +info"
      return server
    }
    let info = InfoText(text)
    server.note(info)
    guard !isSentinel else { return server }
    server.noteCommands(asked.replies[1])
    server.noteModules(asked.replies[2])
    server.noteSettings(settings.indices.map { asked.replies[3 + $0] })
    if server.role == .master {
      await server.lookForSentinels(connection, clientCount: info.integer("connected_clients") ?? 0, deadline)
    }
    return server
  }

  private mutating func note(_ info: InfoText) {
    release = ServerRelease(ServerFacts(info))
    isLinkUp = info.text("master_link_status").map { $0 == "up" }
    dumpAgeSeconds = info.dumpAgeSeconds(now: .now)
  }

  private mutating func noteCommands(_ reply: Reply) {
    guard !reply.isError, let text = reply.bytes else {
      commands = .unknown("+info")
      return
    }
    commands = .known(InfoText(text).commandCalls)
  }

  private mutating func noteModules(_ reply: Reply) {
    guard !reply.isError, let elements = reply.elements else {
      modules = .unknown("+module|list")
      return
    }
    modules = .known(
      elements.prefix(Self.moduleLimit).compactMap { entry in
        guard let fields = entry.elements else { return nil }
        var name: String?
        var version = 0
        for (key, value) in zip(fields, fields.dropFirst()) {
          if key.text == "name" { name = value.text }
          if key.text == "ver" { version = value.integer ?? 0 }
        }
        return name.map { Module(name: oneLine($0.cut(toBytes: 60)), version: version) }
      })
  }

  private mutating func noteSettings(_ replies: [Reply]) {
    guard !replies.contains(where: \.isError) else {
      settings = .unknown("+config|get")
      return
    }
    var known: [String: String] = [:]
    for reply in replies {
      // A server that has no such setting answers with nothing.
      guard let pair = reply.elements, pair.count == 2, let name = pair[0]?.text, let value = pair[1]?.text else {
        continue
      }
      known[name] = oneLine(value.cut(toBytes: 200))
    }
    settings = .known(known)
  }

  /// Sentinels name their connections `sentinel-ID-cmd`.
  private mutating func lookForSentinels(
    _ connection: Connection, clientCount: Int, _ deadline: NIODeadline
  ) async {
    guard clientCount <= Self.clientLimit else {
      sentinelUsers = .unknown("\(clientCount) clients are too many to list")
      return
    }
    let listed = await connection.send(CommandBatch([["CLIENT", "LIST"]]), deadline: deadline)
    guard listed.failure == nil, !listed.replies[0].isError, let bytes = listed.replies[0].bytes else {
      sentinelUsers = .unknown("+client|list")
      return
    }
    let names = Array(Self.sentinelUsers(in: bytes).prefix(Self.userLimit))
    guard !names.isEmpty else {
      sentinelUsers = .known([])
      return
    }
    let tried = await connection.send(
      CommandBatch(names.map { ["ACL", "DRYRUN", $0, "FAILOVER"] }), deadline: deadline)
    guard tried.failure == nil, !names.indices.contains(where: { tried.replies[$0].isError }) else {
      sentinelUsers = .unknown("+acl|dryrun, which servers have since 7.0")
      return
    }
    sentinelUsers = .known(
      names.enumerated().map { SentinelUser(name: $1, mayFailover: tried.replies[$0].text == "OK") })
  }

  /// The users of connections that Sentinels opened, sorted.
  static func sentinelUsers(in list: ArraySlice<UInt8>) -> [String] {
    var names: Set<String> = []
    for line in list.split(separator: UInt8(ascii: "\n")) {
      var (isSentinel, user) = (false, "")
      for word in line.split(separator: UInt8(ascii: " ")) {
        if word.starts(with: Array("name=sentinel-".utf8)) { isSentinel = true }
        if word.starts(with: Array("user=".utf8)) { user = String(foreign: word.dropFirst(5), upToBytes: 100) }
      }
      if isSentinel, !user.isEmpty { names.insert(user) }
    }
    return names.sorted()
  }
}
