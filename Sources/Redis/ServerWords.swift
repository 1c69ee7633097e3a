import Runtime

/// A server's place in replication, by whichever word its INFO has for it.
public enum ReplicationRole: Sendable, Equatable {
  case master, replica
  /// KeyDB's: it takes writes, and follows other masters, too.
  case activeReplica

  /// - Returns: nil for a word that is none of them, such as `sentinel`.
  public init?(_ word: String) {
    switch word.lowercased() {
    case "master", "primary": self = .master
    case "slave", "replica", "secondary", "follower": self = .replica
    case "active-replica": self = .activeReplica
    default: return nil
    }
  }

  /// Whether clients may write to it.
  public var takesWrites: Bool { self != .replica }
  /// Whether it follows another server.
  public var follows: Bool { self != .master }
}

/// Whether a server's word says yes or no: `up`, `ok`, `1`, `err`, `down`.
///
/// - Returns: nil for a word that says neither.
public func isYes(_ word: ArraySlice<UInt8>) -> Bool? {
  // Without a copy: every field of INFO that is no number passes here.
  func isAny(_ words: StaticWords) -> Bool {
    words.contains { $0.count == word.count && zip($0, word).allSatisfy { $0 == $1 | 0x20 } }
  }
  if word.count == 1 { return word.first == UInt8(ascii: "1") ? true : word.first == UInt8(ascii: "0") ? false : nil }
  if isAny(yesWords) { return true }
  return isAny(noWords) ? false : nil
}

private typealias StaticWords = [[UInt8]]
private let yesWords: StaticWords = ["ok", "up", "yes", "true", "online", "connected"].map { Array($0.utf8) }
private let noWords: StaticWords = ["err", "fail", "down", "no", "false", "offline", "error", "disconnected"].map {
  Array($0.utf8)
}

extension InfoText {
  /// Whether the field says yes; nil without it, and for a word that says neither.
  public func flag(_ name: String) -> Bool? { self[name].flatMap { isYes($0) } }
}
