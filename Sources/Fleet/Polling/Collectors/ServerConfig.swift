import Redis
import Runtime

/// What CONFIG GET * answered: keys and values, found by the hash of the key.
public struct ServerConfig: Sendable {
  struct Entry: Sendable {
    /// ``fnvHash(_:)`` of the key.
    let keyHash: UInt64
    let key: Range<Int>
    let value: Range<Int>
  }

  /// In the server's order.
  let entries: [Entry]
  private let replies: Replies

  /// - Returns: nil when the reply is not an array of strings.
  public init?(_ reply: Reply) {
    guard let pairs = reply.stringRanges, pairs.count.isMultiple(of: 2) else { return nil }
    replies = reply.source
    var entries: [Entry] = []
    entries.reserveCapacity(pairs.count / 2)
    for place in stride(from: 0, to: pairs.count, by: 2) {
      entries.append(
        Entry(keyHash: fnvHash(replies.bytes[pairs[place]]), key: pairs[place], value: pairs[place + 1]))
    }
    self.entries = entries
  }

  func key(of entry: Entry) -> ArraySlice<UInt8> { replies.bytes[entry.key] }

  func value(of entry: Entry) -> ArraySlice<UInt8> { replies.bytes[entry.value] }

  /// A number that differs, most likely, when one of those settings does.
  func digest(of keyHashes: HashSet) -> UInt64 {
    let all = replies.bytes
    let bytes = all.span
    var hash = FNV1a.start
    for entry in entries where keyHashes.contains(entry.keyHash) {
      hash = (hash ^ entry.keyHash) &* FNV1a.prime
      for index in entry.value { hash = (hash ^ UInt64(bytes[index])) &* FNV1a.prime }
    }
    return hash
  }

  /// The value of the first entry with that key.
  public subscript(key: String) -> ArraySlice<UInt8>? {
    let hash = fnvHash(key)
    return entries.first { $0.keyHash == hash }.map { value(of: $0) }
  }
}

extension ServerConfig: SharedReading {
  static func read(_ poll: PollContext) -> ServerConfig? {
    poll.reply(to: ConfigCollector.self).flatMap { ServerConfig($0) }
  }
}

extension PollContext {
  /// nil where CONFIG is off or refused.
  var config: ServerConfig? { reading(ServerConfig.self) }
}
