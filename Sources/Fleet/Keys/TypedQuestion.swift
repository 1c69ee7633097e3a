import Redis

/// What is asked about a key whose value is read: its type first, since a wrong one would count as an error of the server's
/// users. Where TYPE is refused the value is asked for all the same.
enum TypedQuestion {
  /// - Parameters:
  ///   - type: as TYPE names it.
  ///   - value: what is asked about a key of this type.
  static func commands(
    for key: [UInt8], of type: String, after replies: [[Reply?]], _ value: [Command]
  ) -> [Command] {
    switch replies.count {
    case 0: [KeyCommand.remainingLife(key), KeyCommand.type(key)]
    case 1: isOf(type, replies) ? value : []
    default: []
    }
  }

  private static func isOf(_ type: String, _ replies: [[Reply?]]) -> Bool {
    guard let reply = replies[0][1] else { return true }
    return reply.text == type
  }

  static func everyCommand(for key: [UInt8], _ value: [Command]) -> [Command] {
    [KeyCommand.remainingLife(key), KeyCommand.type(key)] + value
  }

  /// Whether the key is not there any more.
  static func isGone(_ replies: [[Reply?]]) -> Bool {
    replies[0][1]?.text == "none" || replies[0][0].flatMap(KeyLife.init) == .gone
  }

  /// Whether the key is of another type, or gone by now.
  static func isElse(_ type: String, _ replies: [[Reply?]]) -> Bool { !isOf(type, replies) }
}
