import Redis
import Runtime

/// Who is connected: by name, user, network and last command.
struct ClientsSource: EvidenceSource {
  let name = "clients"
  let title = "Clients"
  let summary = "connections by name, user, network and last command; left out above \(Self.limit) of them"

  /// Connections above which CLIENT LIST is not asked for: it takes 3 microseconds of the server's time for each.
  static let limit = 5000

  func commands(for server: ServerFacts, masterName: String?) -> [Command] {
    server.mode == .sentinel || server.version < Version(2, 4) ? [] : [["CLIENT", "LIST"]]
  }

  /// - Parameter replies: empty where there are too many connections.
  func read(_ replies: [Reply], into reading: inout NodeReading) {
    reading.add("connected_clients", "connections", .count)
    reading.add("maxclients", "maxclients", .count)
    reading.add("blocked_clients", "connections that wait for data", .count)
    reading.addRate("total_connections_received", "new connections")
    reading.addRate("rejected_connections", "connections turned away")
    guard let reply = replies.first else {
      let count = reading.facts.numbers["connected_clients"] ?? 0
      return reading.sections.append(
        section(["\(EvidenceText.count(count)) connections: above \(Self.limit), CLIENT LIST would hold the server up"])
      )
    }
    guard let bytes = reply.bytes, !reply.isError else { return }
    let groups = Self.groups(bytes)
    reading.facts.clients = groups
    let count = groups.reduce(0) { $0 + $1.count }
    reading.sections.append(
      section(
        ["\(count) connections in \(groups.count) groups"],
        Evidence.Table(
          ["client", "user", "network", "last command", "connections", "last sent", "output buffers"],
          groups.map { group in
            [
              group.origin.name.isEmpty ? "(no name)" : group.origin.name, group.origin.user, group.origin.network,
              group.command.uppercased().replacing("|", with: " "), "\(group.count)",
              group.idleSeconds.isFinite ? "\(span(group.idleSeconds)) ago" : "", EvidenceText.bytes(group.outputBytes),
            ]
          })))
  }

  /// The largest first.
  private static func groups(_ text: ArraySlice<UInt8>) -> [NodeFacts.ClientGroup] {
    struct Key: Hashable {
      let origin: ClientOrigin
      let command: String
    }
    var groups: [Key: NodeFacts.ClientGroup] = [:]
    for line in text.split(separator: UInt8(ascii: "\n")).prefix(2 * limit) {
      guard let client = ConnectedClient(line) else { continue }
      let command = client.command.flatMap(CommandShape.commandName) ?? ""
      let key = Key(origin: ClientOrigin(name: client.name, user: client.user, host: client.host), command: command)
      var group = groups[key] ?? NodeFacts.ClientGroup(origin: key.origin, command: command)
      group.count += 1
      group.idleSeconds = min(group.idleSeconds, client["idle"] ?? .infinity)
      group.outputBytes += max(0, client["omem"] ?? 0)
      group.isReplica = group.isReplica || client.kind == .replica
      groups[key] = group
    }
    return groups.values.sorted {
      ($1.count, $0.origin.title, $0.origin.network, $0.command)
        < ($0.count, $1.origin.title, $1.origin.network, $1.command)
    }
  }
}
