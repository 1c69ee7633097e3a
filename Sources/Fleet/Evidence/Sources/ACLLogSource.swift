import Redis
import Runtime

/// What the ACL refused lately, and to whom.
struct ACLLogSource: EvidenceSource {
  let name = "acl_log"
  let title = "Refused by the ACL"
  let summary = "what the ACL refused, by reason, command and client; without keys and channels"

  func commands(for server: ServerFacts, masterName: String?) -> [Command] {
    server.mode == .sentinel || server.version < Version(6) ? [] : [["ACL", "LOG", "64"]]
  }

  func read(_ replies: [Reply], into reading: inout NodeReading) {
    guard let elements = replies.first?.elements else { return }
    let denials = elements.compactMap { Self.denial($0) }.filter { reading.facts.wall - $0.ageSeconds >= reading.since }
    reading.facts.denials = denials
    guard !denials.isEmpty else {
      return reading.sections.append(section(["nothing since \(EvidenceText.clock(reading.since))"]))
    }
    reading.sections.append(
      section(
        [],
        Evidence.Table(
          ["what", "command", "client", "times", "last"],
          denials.map { denial in
            [
              denial.reason, denial.command?.uppercased().replacing("|", with: " ") ?? "", denial.origin.place,
              "\(denial.count)", "\(span(denial.ageSeconds)) ago",
            ]
          })))
  }

  private static func denial(_ reply: Reply) -> NodeFacts.Denial? {
    guard let reason = reply.field("reason")?.text, let count = reply.field("count")?.integer,
      let age = reply.field("age-seconds")?.double, age.isFinite
    else { return nil }
    let words: [String: String] = [
      "auth": "login", "command": "command", "key": "key", "channel": "channel", "database": "database",
    ]
    let client = reply.field("client-info")?.bytes.flatMap { ConnectedClient($0) }
    let user = client?.user ?? reply.field("username")?.bytes ?? []
    return NodeFacts.Denial(
      reason: words[reason] ?? "other",
      command: reason == "command" ? reply.field("object")?.bytes.flatMap(CommandShape.commandName) : nil,
      origin: ClientOrigin(name: client?.name ?? [], user: reason == "auth" ? [] : user, host: client?.host ?? []),
      count: count, ageSeconds: max(0, age))
  }
}
