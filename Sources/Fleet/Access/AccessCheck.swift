import NIOCore
import Redis

/// What a server lets a user do of what redline needs.
public struct AccessCheck: Sendable {
  /// What became of one need.
  public struct Verdict: Sendable {
    public enum Reason: Sendable, Equatable {
      /// The user may not run the command, or not for these keys or channels.
      case denied(aclRule: String)
      /// The server has no such command: it was renamed, or a service leaves it out. Or no such database.
      case unknown(aclName: String)
    }
    public let need: AccessNeed
    /// Why it cannot be had, once for each command; empty where it can.
    public let reasons: [Reason]
  }

  public let facts: ServerFacts
  public let verdicts: [Verdict]

  public var isComplete: Bool { verdicts.allSatisfy(\.reasons.isEmpty) }

  /// Logs in and sends everything that is needed once, for keys that are not there.
  ///
  /// What is refused counts as an error on the server and stands in its ACL log, once.
  /// - Parameter needs: what is needed of a server that says this of itself.
  /// - Throws: ``RedisError`` when the server cannot be reached, refuses the login, or may not be asked for INFO.
  public init(
    _ options: ConnectionOptions, timeout: TimeAmount, in context: ConnectionContext,
    needs: @Sendable (ServerFacts) -> [AccessNeed]
  ) async throws(RedisError) {
    var options = options
    // Whether these may be sent is found out below.
    options.clientName = nil
    options.pings = false
    // One of the needs changes the language.
    options.mayUpgrade = true
    let connection = try await Connection.open(options, in: context, deadline: .now() + timeout)
    defer { connection.close() }
    let infoCommand: Command = ["INFO", "ALL"]
    let info = await connection.send(CommandBatch([infoCommand]), deadline: .now() + timeout)
    if let failure = info.failure { throw failure }
    let reply = info.replies[0]
    guard !reply.isError, let bytes = reply.bytes else { throw RedisError(reply: reply, to: infoCommand) }
    facts = ServerFacts(InfoText(bytes))
    var verdicts: [Verdict] = []
    for need in needs(facts) {
      let exchange = await connection.send(CommandBatch(need.commands), deadline: .now() + timeout)
      if let failure = exchange.failure { throw failure }
      var reasons: [Verdict.Reason] = []
      for (index, command) in need.commands.enumerated() {
        if let reason = Self.reason(exchange.replies[index], to: command, of: need), !reasons.contains(reason) {
          reasons.append(reason)
        }
      }
      verdicts.append(Verdict(need: need, reasons: reasons))
    }
    self.verdicts = verdicts
  }

  /// - Returns: nil when the command ran, or failed for a reason that says nothing of rights, such as a missing key.
  private static func reason(_ reply: Reply, to command: Command, of need: AccessNeed) -> Verdict.Reason? {
    guard reply.isError, let text = reply.text else { return nil }
    if let database = selected(by: command) {
      // `NOPERM No permissions to access database` (Valkey 9.1), else there is none of that number.
      if Refusals.reason(reply) == "no_permission" {
        return .denied(aclRule: text.contains("database") ? "db=\(database)" : "+select")
      }
      return need.databases.contains(database) ? .unknown(aclName: "database \(database)") : nil
    }
    let name = command.aclName(configCommand: nil)
    switch Refusals.reason(reply) {
    case "no_permission"?:
      guard text.contains(" to access ") else { return .denied(aclRule: "+" + name) }
      let globs =
        need.channels.isEmpty
        ? need.keys.map { "~" + String(decoding: $0, as: UTF8.self) } : need.channels.map { "&" + $0 }
      return .denied(aclRule: globs.joined(separator: " "))
    case .some: return .unknown(aclName: name)
    case nil: return nil
    }
  }

  private static func selected(by command: Command) -> Int? {
    let words = command.arguments.map { String(decoding: $0, as: UTF8.self) }
    return words.count == 2 && words[0] == "SELECT" ? Int(words[1]) : nil
  }
}
