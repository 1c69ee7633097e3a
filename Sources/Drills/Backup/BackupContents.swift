import Fleet
import NIOCore
import Redis
import Runtime

/// What a loaded backup holds.
public struct BackupContents: Sendable, Equatable {
  public struct Database: Sendable, Equatable {
    public let keys: Int
    /// Of them, those with a TTL.
    public let expiring: Int
  }

  /// Exact, by number; without those that hold nothing.
  public var databases: [Int: Database] = [:]
  /// Keys that were looked at one by one, for types and prefixes.
  public var lookedAt = 0
  /// Whether these are all of them, but for expired ones, which SCAN passes over.
  public var isWhole = false
  public var types: [String: Int] = [:]
  /// By ``CommandShape/prefix(of:)``; keys without one are counted under none.
  public var prefixes: [String: Int] = [:]

  public var keys: Int { databases.values.reduce(0) { $0 + $1.keys } }
  public var expiring: Int { databases.values.reduce(0) { $0 + $1.expiring } }

  /// The share of each prefix in the keys that were looked at, of 0 to 1.
  public var prefixShares: [String: Double] {
    lookedAt == 0 ? [:] : prefixes.mapValues { Double($0) / Double(lookedAt) }
  }

  static let keyLimit = 200_000
  static let secondsLimit = 30.0
  private static let prefixLimit = 1000
  private static let typeLimit = 64
  private static let pageSize = 1000
  /// A key that is longer is counted, and its type is not asked for.
  private static let keyBytesLimit = 4096

  public init() {}

  /// `db0:keys=121000,expires=20000,…` lines of INFO.
  init(_ info: InfoText) {
    for field in info.fields {
      let name = info.name(of: field)
      guard name.starts(with: "db".utf8), let number = parseInteger(name.dropFirst(2)), (0...1_000_000).contains(number)
      else { continue }
      var counts: [String: Int] = [:]
      for pair in InfoPairs(info.value(of: field)) {
        counts[String(foreign: pair.key)] = parseInteger(pair.value)
      }
      if let keys = counts["keys"], keys > 0 {
        databases[number] = Database(keys: keys, expiring: counts["expires"] ?? 0)
      }
    }
  }

  /// Counts keys exactly, and looks at as many of them one by one as the limits allow.
  ///
  /// - Throws: ``RedisError`` where the keys cannot even be counted.
  static func read(_ connection: Connection) async throws(RedisError) -> BackupContents {
    let asked = await connection.send(CommandBatch([["INFO"]]), deadline: .now() + .seconds(30))
    if let failure = asked.failure { throw failure }
    guard let text = asked.replies[0].bytes, !asked.replies[0].isError else {
      throw RedisError(reply: asked.replies[0], to: ["INFO"])
    }
    var contents = BackupContents(InfoText(text))
    let deadline = Monotonic.now + secondsLimit
    contents.isWhole = true
    for number in contents.databases.keys.sorted() {
      guard await contents.look(at: number, of: connection, until: deadline) else {
        contents.isWhole = false
        break
      }
    }
    return contents
  }

  /// - Returns: whether the whole database was looked at.
  private mutating func look(at number: Int, of connection: Connection, until deadline: Monotonic) async -> Bool {
    func answer(_ commands: [Command]) async -> Replies? {
      let exchange = await connection.send(CommandBatch(commands), deadline: .now() + .seconds(10))
      return exchange.failure == nil ? exchange.replies : nil
    }
    guard await answer([["SELECT", "\(number)"]]) != nil else { return false }
    var cursor: [UInt8] = Array("0".utf8)
    while lookedAt < Self.keyLimit, Monotonic.now < deadline {
      let scan = Command(bytes: [Array("SCAN".utf8), cursor, Array("COUNT".utf8), Array("\(Self.pageSize)".utf8)])
      guard let page = await answer([scan])?[0].elements, let next = page[0]?.bytes, let keys = page[1]?.elements else {
        return false
      }
      let found = keys.compactMap { $0.bytes.map { Array($0) } }
      guard let types = await self.types(of: found, answer) else { return false }
      note(found, types)
      cursor = Array(next)
      if cursor == Array("0".utf8) { return true }
    }
    return false
  }

  private func types(of keys: [[UInt8]], _ answer: ([Command]) async -> Replies?) async -> [String]? {
    let asked = keys.filter { $0.count <= Self.keyBytesLimit }
    guard !asked.isEmpty else { return [] }
    guard let replies = await answer(asked.map { Command(bytes: [Array("TYPE".utf8), $0]) }) else { return nil }
    return replies.replies(in: 0..<replies.count).compactMap(\.text)
  }

  mutating func note(_ keys: [[UInt8]], _ types: [String]) {
    lookedAt += keys.count
    for type in types where type != "none" && (self.types[type] != nil || self.types.count < Self.typeLimit) {
      self.types[type, default: 0] += 1
    }
    for key in keys {
      guard let prefix = CommandShape.prefix(of: key[...]), prefixes[prefix] != nil || prefixes.count < Self.prefixLimit
      else { continue }
      prefixes[prefix, default: 0] += 1
    }
  }
}
