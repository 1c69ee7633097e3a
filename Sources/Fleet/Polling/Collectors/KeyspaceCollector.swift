import Metrics
import Redis

/// Keys of each database: the section Keyspace, with zeros for databases that are empty.
struct KeyspaceCollector: Collector {
  let name = "keyspace"
  var families: [Family] { [Self.keys, Self.expiring, Self.averageTTL, Self.cached, Self.withExpiringItems] }
  var readsInfoOnly: Bool { true }

  /// What a server without readable configuration is taken to have.
  static let defaultDatabases = 16
  /// The most databases that are shown as empty, whatever the configuration says.
  static let paddedDatabasesLimit = 4096

  private static let keys = Family.gauge("db_keys", "Keys in the database (INFO dbN keys).", labels: ["db"])
  private static let expiring = Family.gauge(
    "db_keys_expiring", "Keys in the database that have an expiry (INFO dbN expires).", labels: ["db"])
  private static let averageTTL = Family.gauge(
    "db_avg_ttl_seconds",
    "Average time to live of keys with an expiry, estimated by the server, in seconds (INFO dbN avg_ttl).",
    labels: ["db"], unit: .seconds)
  private static let cached = Family.gauge(
    "db_keys_cached", "Keys of the database that KeyDB holds in memory (INFO dbN cached_keys).", labels: ["db"])
  private static let withExpiringItems = Family.gauge(
    "db_keys_with_expiring_items",
    "Keys in the database with fields that have an expiry of their own (INFO dbN subexpiry or keys_with_volatile_items).",
    labels: ["db"])

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] { [] }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    // The zeros of a server that has never counted are none.
    guard poll.info.keyCounting != .never else { return }
    var shown = Set<Int>()
    for field in databases(in: poll.info) {
      let name = poll.info.name(of: field)
      let db = LabelValue(name)
      for (key, text) in InfoPairs(poll.info.value(of: field)) {
        guard let value = parseDouble(text) else { continue }
        if key.elementsEqual("keys".utf8) {
          sink.add(Self.keys, value, db)
        } else if key.elementsEqual("expires".utf8) {
          sink.add(Self.expiring, value, db)
        } else if key.elementsEqual("avg_ttl".utf8) {
          // Dragonfly says -1 for a mean that it does not know.
          if value >= 0 { sink.add(Self.averageTTL, value / 1000, db) }
        } else if key.elementsEqual("cached_keys".utf8) {
          sink.add(Self.cached, value, db)
        } else if key.elementsEqual("subexpiry".utf8) || key.elementsEqual("keys_with_volatile_items".utf8) {
          sink.add(Self.withExpiringItems, value, db)
        }
      }
      if let number = parseInteger(name.dropFirst(2)) { shown.insert(number) }
    }

    guard poll.options.includesEmptyDatabases, Self.showsEmptyDatabases(poll, seenCount: shown.count) else { return }
    for number in 0..<Self.databaseCount(poll) where !shown.contains(number) {
      let db = LabelValue("db\(number)")
      sink.add(Self.keys, 0, db)
      sink.add(Self.expiring, 0, db)
    }
  }

  /// The lines of databases, whatever heading they stand under.
  private func databases(in info: InfoText) -> [InfoText.Field] {
    func databases(_ fields: ArraySlice<InfoText.Field>) -> [InfoText.Field] {
      fields.filter { field in
        isNumbered(info.name(of: field), prefix: "db")
          && InfoPairs(info.value(of: field)).contains { $0.key.elementsEqual("keys".utf8) }
      }
    }
    let own = databases(info.fields(inSection: InfoSection.keyspace))
    return own.isEmpty ? databases(info.fields[...]) : own
  }

  /// Whether a database that is not listed is empty: the section is there, and is either empty or was understood. A
  /// Sentinel has no such section and no keys.
  private static func showsEmptyDatabases(_ poll: PollContext, seenCount: Int) -> Bool {
    if poll.server.mode == .sentinel { return true }
    guard poll.info.hasSection(InfoSection.keyspace) else { return false }
    return seenCount > 0 || poll.info.fields(inSection: InfoSection.keyspace).isEmpty
  }

  /// How many databases the server has, as far as can be told.
  private static func databaseCount(_ poll: PollContext) -> Int {
    let isCluster = poll.server.isClusterEnabled
    let setting = poll.config?[KeyPlace.databasesSetting(isCluster: isCluster)]
    let configured = setting.flatMap { parseInteger($0) } ?? (isCluster ? 1 : defaultDatabases)
    return min(max(configured, 0), paddedDatabasesLimit)
  }
}
