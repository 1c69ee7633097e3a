import Redis
import Runtime
import Storage

/// The events of failovers: at once what happened, and later, as more is known, what they cost and where clients went.
/// Pure.
struct FailoverLog: Sendable {
  /// How long clients get to find the new master.
  static let settleSeconds = 8.0
  /// How many are shown, for how long.
  static let toldLimit = 16
  static let toldSeconds = 86_400.0
  /// How long one is not shown while its epoch may still be read: what it is known by should not change.
  static let nameSeconds = 10.0

  let workload: String
  /// Between two polls of a member.
  let pollSeconds: Double
  /// The newest, also of aborted attempts; nil before the first that this daemon counts.
  private(set) var newest: Failover?
  private var clients = ClientTracker()
  private var takeovers = TakeoverTracker()
  /// Oldest first; aborted attempts until they are complete.
  private var entries: [Entry] = []

  init(workload: String, pollSeconds: Double) {
    self.workload = workload
    self.pollSeconds = pollSeconds
  }

  /// Whether more may become known of a failover.
  var isFollowing: Bool { entries.contains(where: \.isOpen) }

  /// What happened in the newest failover, as far as it is known.
  var lastSummary: String? { entries.last { $0.failover.kind != .aborted }?.summary }

  /// What it cost.
  var lastCost: Failover.Cost { entries.last { $0.failover.kind != .aborted }?.failover.cost ?? Failover.Cost() }

  /// The newest of the last day, oldest first.
  func told(at wall: WallTime) -> ArraySlice<Entry> {
    entries.filter { entry in
      let age = wall - entry.failover.counted
      return entry.failover.kind != .aborted && age < Self.toldSeconds
        && (entry.failover.mark != nil || age >= Self.nameSeconds)
    }.suffix(Self.toldLimit)
  }

  /// Takes over what was told before this daemon, or this configuration of it, was started.
  mutating func recall(_ events: [Event]) {
    let known = Set(entries.map(\.failover.key))
    let old = events.compactMap { Entry($0, workload: workload) }.filter { !known.contains($0.failover.key) }
    entries = (old + entries).sorted { $0.failover.counted < $1.failover.counted }
  }

  /// Takes in what members say: how many clients they have, and what a change of the master costs.
  mutating func note(_ readings: [MemberReading], at now: Monotonic, instance: (NodeAddress) -> String) {
    takeovers.note(readings, at: now)
    let names = Dictionary(readings.map { ($0.address, instance($0.address)) }, uniquingKeysWith: { first, _ in first })
    for reading in readings {
      guard let count = reading.facts?.connectedClients, let name = names[reading.address] else { continue }
      clients.note(count, of: name, at: reading.ended)
    }
    clients.forget(allBut: Set(names.values))
  }

  /// - Returns: its event, as far as it is known now.
  mutating func begin(_ failover: Failover, instance: (NodeAddress) -> String) -> Event {
    var entry = Entry(failover, workload: workload, instance: instance)
    // Before the newest polls of each member, what only they show had not taken place.
    let began = failover.phases.values.min() ?? failover.counted - pollSeconds
    entry.clientsBefore = clients.counts(at: began)
    takeovers.begin(failover)
    entry.failover.cost = takeovers.cost(of: failover.key) ?? Failover.Cost()
    entries.append(entry)
    newest = failover
    return entry.event
  }

  /// More is known of a failover.
  mutating func revise(_ failover: Failover, instance: (NodeAddress) -> String) {
    if newest?.key == failover.key { newest = failover }
    for index in entries.indices where entries[index].failover.key == failover.key && entries[index].isOpen {
      entries[index].revise(failover, instance: instance)
    }
  }

  /// - Returns: the events of failovers that more is known about than was told.
  mutating func takeRevisions(at wall: WallTime) -> [Event] {
    guard entries.contains(where: { $0.isOpen || wall - $0.failover.counted > Self.toldSeconds }) else { return [] }
    var events: [Event] = []
    for index in entries.indices where entries[index].isOpen {
      let before = entries[index]
      let key = before.failover.key
      if let cost = takeovers.cost(of: key) { entries[index].failover.cost = cost }
      if before.clientsAfter == nil, wall - before.failover.counted >= Self.settleSeconds {
        entries[index].clientsAfter = clients.counts(since: before.failover.counted)
        entries[index].isRevised = true
      }
      if entries[index].failover != before.failover || entries[index].isRevised { events.append(entries[index].event) }
      entries[index].isRevised = false
      guard entries[index].clientsAfter != nil, takeovers.isSettled(key) else { continue }
      entries[index].isOpen = false
      takeovers.end(key)
    }
    forget(at: wall)
    return events
  }

  private mutating func forget(at wall: WallTime) {
    entries.removeAll { $0.failover.kind == .aborted && !$0.isOpen }
    let surplus = entries.count - Self.toldLimit
    let old = entries.enumerated().filter { index, entry in
      index < surplus || (wall - entry.failover.counted > Self.toldSeconds && index < entries.count - 1)
    }
    for (_, entry) in old { takeovers.end(entry.failover.key) }
    let gone = Set(old.map(\.element.failover.key))
    entries.removeAll { gone.contains($0.failover.key) }
  }
}

extension FailoverLog {
  /// A failover with the names of its servers and with its clients.
  struct Entry: Sendable {
    /// Instances whose clients are reported; the two masters first.
    static let instanceLimit = 200

    fileprivate(set) var failover: Failover
    let workload: String
    /// Instances; nil where it is not known.
    private(set) var from: String?
    private(set) var to: String?
    /// Connected clients by instance; those after are nil until they have had time to come back.
    var clientsBefore: [String: Int] = [:]
    var clientsAfter: [String: Int]?
    /// Whether more may become known.
    fileprivate var isOpen = true
    /// Whether more is known than was told.
    fileprivate var isRevised = false
    /// What was told before this daemon was started.
    private var recalled: String?

    init(_ failover: Failover, workload: String, instance: (NodeAddress) -> String) {
      self.failover = failover
      self.workload = workload
      from = failover.from.map(instance) ?? failover.fromID
      to = failover.to.map(instance)
    }

    fileprivate mutating func revise(_ failover: Failover, instance: (NodeAddress) -> String) {
      let (cost, counted) = (self.failover.cost, self.failover.counted)
      self.failover = failover
      (self.failover.cost, self.failover.counted) = (cost, counted)
      from = failover.from.map(instance) ?? failover.fromID
      to = failover.to.map(instance)
      isRevised = true
    }

    private static func keyPrefix(_ workload: String) -> String { "\(workload)/failover/" }

    var summary: String {
      if let recalled { return recalled }
      let (kind, subject) = (failover.kind, failover.subject)
      guard kind != .aborted else {
        return "failover of \(subject) aborted: \(failover.trouble ?? "no reason was given")"
      }
      let change = "\(kind.rawValue) failover of \(subject) from \(from ?? "unknown") to \(to ?? "unknown")"
      return ([change] + failover.cost.words).joined(separator: "; ")
    }

    var event: Event {
      Event(
        at: failover.counted, workload: workload, node: to ?? "",
        kind: failover.kind == .aborted ? .failoverAborted : .failover, summary: summary, details: details,
        key: Self.keyPrefix(workload) + failover.key)
    }

    private var details: String {
      JSONWriter.text { json in
        json.object { json in
          json.field("kind", failover.kind.rawValue)
          if let from { json.field("from", from) }
          if let to { json.field("to", to) }
          if let epoch = failover.epoch { json.field("epoch", epoch) }
          if let id = failover.replicationID { json.field("replication_id", id) }
          failover.cost.write(to: &json)
          if let trouble = failover.trouble { json.field("trouble", trouble) }
          if !failover.phases.isEmpty {
            json.key("phases")
            json.object { json in
              for phase in Failover.Phase.allCases {
                if let moment = failover.phases[phase] { json.field(phase.rawValue, moment.seconds) }
              }
            }
          }
          json.key("clients_before")
          write(clientsBefore, to: &json)
          guard let clientsAfter else { return }
          json.key("clients_after")
          write(clientsAfter, to: &json)
        }
      }
    }

    private func write(_ clients: [String: Int], to json: inout JSONWriter) {
      let own = [from, to].compactMap { $0 }
      let names = clients.keys.sorted { (own.contains($0) ? 0 : 1, $0) < (own.contains($1) ? 0 : 1, $1) }
      json.object { json in
        for name in names.prefix(Self.instanceLimit) { json.field(name, clients[name] ?? 0) }
      }
    }

    /// - Returns: nil for what is no failover of the workload.
    fileprivate init?(_ event: Event, workload: String) {
      let prefix = Self.keyPrefix(workload)
      guard event.kind == .failover, let key = event.key, key.hasPrefix(prefix),
        let root = try? JSONReader.value(Array(event.details.utf8)),
        let kind = root["kind"]?.string.flatMap({ Failover.Kind(rawValue: $0) })
      else { return nil }
      failover = Failover(
        key: String(key.dropFirst(prefix.count)), subject: "", kind: kind, counted: event.at)
      failover.epoch = root["epoch"]?.number.flatMap { Int(exactly: $0) }
      failover.replicationID = root["replication_id"]?.string
      failover.cost = Failover.Cost(root)
      self.workload = workload
      from = root["from"]?.string
      to = root["to"]?.string
      clientsAfter = [:]
      isOpen = false
      recalled = event.summary
    }
  }
}
