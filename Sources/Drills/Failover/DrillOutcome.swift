import Fleet
import Redis
import Runtime

/// What a drill found out.
public struct DrillOutcome: Sendable {
  /// Writes that one process acknowledged and nobody has any more.
  struct Loss: Sendable, Equatable {
    let master: LedgerMaster
    let count: Int
    /// When the first and the last of them were acknowledged, in seconds since the fault.
    let firstSeconds: Double
    let lastSeconds: Double
  }

  /// What the failover cost by the offsets of the servers: of all clients' writes.
  struct Cost: Sendable {
    let cost: Failover.Cost
    let isOfDaemon: Bool
  }

  /// Seconds since the fault; nil where it did not happen.
  struct Times: Sendable {
    var detect: Double?
    var quorum: Double?
    var switched: Double?
    var firstAck: Double?
    /// The longest time without any acknowledged write; nil without a fault.
    var outage: Double?
  }

  /// The ledger, and what became of its writes.
  struct Writes: Sendable {
    var ackCount = 0
    var losses: [Loss] = []
    var isReadBack = false
    /// Whether keys may have expired before they were read.
    var isTooLate = false
    /// Keys that the servers evicted meanwhile.
    var evictedCount = 0
    /// Keys that may be left, which expire.
    var unremovedCount = 0
    /// Of the ledger that stays; nil where it was removed.
    var ledgerPath: String?
    /// How long the disk took at most for what came together.
    var diskSeconds = 0.0
  }

  /// The master that was broken.
  struct OldMaster: Sendable {
    var name: NodeName = ""
    var address: NodeAddress?
    var runID = ""
    /// Whether it follows the new one; nil where it does not answer.
    var isBack: Bool?
    /// Whether its process is gone.
    var isGone = false
  }

  struct Moment: Sendable, Equatable {
    /// Since the fault; negative before it.
    let seconds: Double
    let text: String
  }

  let workload: String
  let settings: DrillSettings
  let run: String
  var started = WallTime.now
  var ended = WallTime.now
  var end = DrillCourse.End.stable
  var faultWall: WallTime?

  var times = Times()
  var writes = Writes()
  var errors = ClientErrors()
  /// READONLY answers to all clients, by server.
  var readOnly: [NodeName: Int] = [:]
  var timeline: [Moment] = []
  var cost: Cost?
  var oldMaster = OldMaster()
  /// Whether all servers are on this machine.
  var isLocal = false

  init(workload: String, settings: DrillSettings, run: String) {
    self.workload = workload
    self.settings = settings
    self.run = run
  }

  var lostCount: Int { writes.losses.reduce(0) { $0 + $1.count } }

  // MARK: What was seen

  /// - Parameter acks: in any order.
  mutating func take(
    _ acks: [Ack], lost: [Ack], masters: [LedgerMaster], oldRunID: String, faultAt: Monotonic?
  ) {
    writes.ackCount = acks.count
    let zero = faultAt ?? acks.map(\.at).min() ?? .now
    writes.losses = Dictionary(grouping: lost, by: \.master).compactMap { place, lost in
      guard masters.indices.contains(Int(place)) else { return nil }
      let moments = lost.map(\.at)
      return Loss(
        master: masters[Int(place)], count: lost.count, firstSeconds: (moments.min() ?? zero) - zero,
        lastSeconds: (moments.max() ?? zero) - zero)
    }.sorted { ($0.firstSeconds, $0.count) < ($1.firstSeconds, $1.count) }
    guard let faultAt else { return }
    times.outage = Self.longestGap(acks.map(\.at), since: faultAt)
    times.firstAck = acks.filter { ack in
      masters.indices.contains(Int(ack.master)) && masters[Int(ack.master)].runID != oldRunID
    }.map { $0.at - faultAt }.min()
  }

  /// The longest time between two acknowledged writes that ends after a moment; nil where nothing was acknowledged after it.
  static func longestGap(_ moments: [Monotonic], since start: Monotonic) -> Double? {
    let sorted = moments.sorted()
    guard let last = sorted.last, last > start else { return nil }
    var longest = 0.0
    var before: Monotonic?
    for moment in sorted {
      // A gap that began before the fault counts from the fault.
      if moment > start { longest = max(longest, moment - max(before ?? start, start)) }
      before = moment
    }
    return longest
  }

  mutating func take(_ timeline: Timeline, faultAt: Monotonic?) {
    let zero = faultAt ?? timeline.entries.first?.at ?? .now
    self.timeline = timeline.entries.map { Moment(seconds: $0.at - zero, text: $0.text) }
    guard let faultAt else { return }
    faultWall = timeline.wall(faultAt)
    func since(_ moment: Monotonic?) -> Double? { moment.map { max(0, $0 - faultAt) } }
    times.detect = since(timeline.first(.sdown))
    times.quorum = since(timeline.first(.odown))
    times.switched = since(timeline.switches.first?.at)
  }

  mutating func settleMaster(_ seen: [NodeAddress: GroupObserver.Seen]) {
    guard let address = oldMaster.address, let old = seen[address] else { return }
    let answers = old.answered.map { Monotonic.now - $0 < 2 } ?? false
    oldMaster.isBack = answers ? !old.isMaster : nil
    oldMaster.isGone = !answers || old.runID != oldMaster.runID
  }

  /// As results of checks have them.
  var numbers: [String: Double] {
    var numbers: [String: Double] = [
      "acknowledged_writes": Double(writes.ackCount), "client_errors": Double(errors.total),
      "readonly_errors": Double(errors.count("READONLY")), "moved_errors": Double(errors.count("MOVED")),
      "clusterdown_errors": Double(errors.count("CLUSTERDOWN")), "timeout_errors": Double(errors.count("timeout")),
    ]
    if writes.isReadBack { numbers["lost_writes"] = Double(lostCount) }
    numbers["detect_seconds"] = times.detect
    numbers["quorum_seconds"] = times.quorum
    numbers["switch_seconds"] = times.switched
    numbers["first_ack_seconds"] = times.firstAck
    numbers["outage_seconds"] = times.outage
    if let first = writes.losses.map(\.firstSeconds).min(), let last = writes.losses.map(\.lastSeconds).max() {
      numbers["lost_window_seconds"] = last - first
    }
    if let loss = cost?.cost.lostWrites {
      numbers["estimated_lost_writes_least"] = Double(loss.least)
      numbers["estimated_lost_writes_most"] = loss.most.map { Double($0) }
    }
    if let loss = cost?.cost.lostBytes {
      numbers["estimated_lost_bytes_least"] = Double(loss.least)
      numbers["estimated_lost_bytes_most"] = loss.most.map { Double($0) }
    }
    return numbers
  }
}
