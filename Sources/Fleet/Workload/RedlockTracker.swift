import Config
import Redis
import Runtime

/// Restarts of Redlock's servers by which a lock may be given twice. Pure.
///
/// A server that comes back without the locks that it gave helps a second client to a majority. It does not where each write
/// was on disk, or where it stayed away until every lock had expired.
struct RedlockTracker: Sendable {
  private struct Entry: Sendable {
    var runID: String
    /// Whether each write was on disk before its answer; nil where CONFIG does not tell.
    var isDurable: Bool?
    /// When the first poll failed that none was answered after.
    var silent: WallTime?
  }

  private let maxTTLSeconds: Double
  private var entries: [NodeAddress: Entry] = [:]
  /// Since the daemon watches.
  private(set) var unsafeCount = 0
  private var newest: [NodeAddress: WallTime] = [:]

  init(_ config: RedlockConfig) { maxTTLSeconds = config.maxTTL.seconds }

  mutating func note(_ readings: [MemberReading]) {
    for reading in readings {
      guard let facts = reading.facts else {
        if reading.answers == false, entries[reading.address]?.silent == nil {
          entries[reading.address]?.silent = reading.ended
        }
        continue
      }
      if let entry = entries[reading.address], entry.runID != facts.server.runID {
        noteRestart(reading, facts, of: entry)
      }
      entries[reading.address] = Entry(runID: facts.server.runID, isDurable: Self.isDurable(facts.persistence))
    }
  }

  private mutating func noteRestart(_ reading: MemberReading, _ facts: Shared<MemberFacts>, of entry: Entry) {
    guard entry.isDurable == false else { return }
    let started = reading.ended - facts.persistence.uptimeSeconds
    // INFO tells whole seconds, and a silence begins at the poll that found it: it was away for at least as long.
    let awaySeconds = entry.silent.map { max(0, started - $0) } ?? 0
    guard awaySeconds < maxTTLSeconds else { return }
    unsafeCount += 1
    newest[reading.address] = reading.ended
  }

  mutating func forget(_ addresses: Set<NodeAddress>) {
    for address in addresses { (entries[address], newest[address]) = (nil, nil) }
  }

  /// When a restart was last seen by which a lock may be given twice; nil while none was.
  func lastUnsafeRestart(of address: NodeAddress) -> WallTime? { newest[address] }

  /// - Returns: nil where CONFIG does not tell.
  static func isDurable(_ facts: PersistenceFacts) -> Bool? {
    guard facts.isTold else { return nil }
    return facts.isAOFEnabled ? facts.appendFsync.map { $0 == .always } : false
  }
}
