import Redis
import Runtime

/// What changes of the master cost: for how long nobody served, and what the old master had taken and the new one never got.
///
/// Of each member it remembers when it last answered, and how far its data reached while it was master. Pure.
struct TakeoverTracker: Sendable {
  /// What a master said of its stream in one poll.
  fileprivate struct Sample: Sendable {
    let moment: Monotonic
    /// In bytes.
    let offset: Int
    /// Changes of keys since the last dump, and when that was; nil where the server does not tell.
    let changeCount: Int?
    let savedSeconds: Double
    /// Whether it takes nothing further: it was a replica by then, with the data of a master.
    var isLast = false

    /// Changes of keys since an earlier one; nil where the server, or a dump, hides them.
    func changes(since earlier: Sample) -> Int? {
      guard let changeCount, let before = earlier.changeCount, savedSeconds == earlier.savedSeconds,
        changeCount >= before
      else { return nil }
      return changeCount - before
    }
  }

  fileprivate struct Member: Sendable {
    var runID = ""
    /// When the newest poll that was taken in began.
    var polled = Monotonic.distantPast
    /// The last good answer, to a poll or a probe.
    var answered: Monotonic?
    /// The last good answer before it did not answer, or before it was restarted, and when it answered again.
    var lost: (after: Monotonic, noticed: Monotonic, back: Monotonic?)?
    /// The last poll that found it master, and the first after that which did not.
    var mastered: Monotonic?
    var demoted: Monotonic?
    /// The first poll that found it master; nil where it was master when it was first polled.
    var promoted: Monotonic?
    /// The stream that it wrote as a master, and what it said of it lately.
    var streamID = ""
    var samples: [Sample] = []
    /// How far this stream is known to go.
    var reached: Sample?
    /// nil while it does not answer.
    var facts: ReplicationFacts?
  }

  private struct Takeover: Sendable {
    let from: NodeAddress
    let to: NodeAddress
    /// The process that was master; nil until it is known.
    let runID: String
    let streamID: String
    /// As they were before the new master served.
    let samples: [Sample]
    /// How far the old master is known to have come.
    var reached: Sample
    var cost = Failover.Cost()
    /// Nothing further can be learnt.
    var isSettled = false
  }

  static let keptSeconds = 300.0
  static let sampleLimit = 64
  /// Polls this far apart show a change at the same time.
  static let slackSeconds = 2.0
  /// Between two probes, with a little to spare.
  static let probeSeconds = 1.1
  /// Polls closer to each other show no speed: what happened between them depends on chance.
  static let paceSeconds = 0.5
  /// A master that nobody sees writes no faster than so many times its fastest between two polls.
  static let haste = 2.0

  private var members: [NodeAddress: Member] = [:]
  private var takeovers: [String: Takeover] = [:]

  /// Takes in the newest polls and probes.
  mutating func note(_ readings: [MemberReading], at now: Monotonic) {
    for reading in readings { members[reading.address, default: Member()].note(reading, at: now) }
    if members.count > readings.count {
      let wanted = Set(readings.map(\.address)).union(takeovers.values.flatMap { [$0.from, $0.to] })
      members = members.filter { wanted.contains($0.key) }
    }
    for key in takeovers.keys { takeovers[key].map { takeovers[key] = followed($0) } }
  }

  /// Follows what a failover costs from now on.
  mutating func begin(_ failover: Failover) {
    guard failover.kind != .aborted, let from = failover.from.map(known), let to = failover.to.map(known),
      let old = members[from], let reached = old.reached
    else { return }
    takeovers[failover.key] = followed(
      Takeover(
        from: from, to: to, runID: old.runID, streamID: old.streamID, samples: old.samples, reached: reached))
  }

  /// A server by the name that it is polled under.
  private func known(_ address: NodeAddress) -> NodeAddress {
    guard members[address] == nil else { return address }
    let meant = members.keys.filter { $0.mayBe(address) }
    return meant.count == 1 ? meant[0] : address
  }

  mutating func end(_ key: String) { takeovers[key] = nil }

  /// What is known of it by now.
  func cost(of key: String) -> Failover.Cost? { takeovers[key]?.cost }

  /// Whether nothing further can be learnt.
  func isSettled(_ key: String) -> Bool { takeovers[key]?.isSettled ?? true }

  // MARK: One takeover

  private func followed(_ takeover: Takeover) -> Takeover {
    var takeover = takeover
    guard !takeover.isSettled, let new = members[takeover.to], let old = members[takeover.from],
      let served = new.promoted
    else { return takeover }
    if takeover.cost.outageSeconds ?? 0 == 0 { takeover.cost.outageSeconds = outage(old, takeover, served) }
    let isSame = old.runID == takeover.runID
    if isSame, old.streamID == takeover.streamID, let reached = old.reached, reached.moment > takeover.reached.moment {
      takeover.reached = reached
    }
    guard let facts = new.facts, let taken = facts.second, taken.replicationID == takeover.streamID,
      !takeover.streamID.isEmpty
    else { return takeover }
    let (bytes, isFinal) = lostBytes(takeover, old, isSame: isSame, taken.offset, facts, served)
    takeover.cost.lostBytes = bytes
    takeover.cost.lostWrites = bytes.flatMap { Self.writes($0, takeover, taken.offset) }
    takeover.isSettled = isFinal && takeover.cost.outageSeconds != nil
    return takeover
  }

  /// From the last good answer of the old master to the first of the new one as master.
  private func outage(_ old: Member, _ takeover: Takeover, _ served: Monotonic) -> Double? {
    let isSame = old.runID == takeover.runID
    if let lost = old.lost, served > lost.after, lost.back.map({ $0 > served - Self.slackSeconds }) ?? true {
      return served - lost.after
    }
    guard isSame, let mastered = old.mastered else { return takeover.cost.outageSeconds }
    // It stepped down long before anybody took its place.
    if let demoted = old.demoted, demoted < served - Self.slackSeconds { return max(0, served - mastered) }
    // It served until then, if it is known to have lived on.
    return old.answered.map { $0 >= served } ?? false ? 0 : takeover.cost.outageSeconds
  }

  /// - Parameter taken: what the new master had of the old one's stream.
  private func lostBytes(
    _ takeover: Takeover, _ old: Member, isSame: Bool, _ taken: Int, _ new: ReplicationFacts, _ served: Monotonic
  ) -> (Failover.Loss?, isFinal: Bool) {
    let reached = takeover.reached
    let least = max(0, reached.offset - taken)
    let facts = old.polled >= served ? old.facts : nil
    // The new master goes on from where the old one was: that had nothing else.
    if isSame, let facts, !facts.isMaster, facts.replicationID == new.replicationID,
      facts.second?.replicationID == takeover.streamID
    {
      return (.exactly(0), true)
    }
    if reached.isLast { return (.exactly(least), true) }
    // What it takes until it learns that it was replaced is lost as well.
    if isSame, let facts, facts.replicationID == takeover.streamID { return (.atLeast(least), false) }
    // Until it stopped, it may have gone on as fast as it ever did.
    let ends = [old.demoted, old.lost.map(\.noticed)].compactMap { $0 }.filter { $0 > reached.moment }
    let seconds = max(0, (ends.min() ?? max(served, reached.moment)) - reached.moment)
    var speed = Self.bytesPerSecond(takeover.samples)
    let ahead = Double(taken) - Double(reached.offset)
    if ahead > 0, seconds > 0 { speed = max(speed ?? 0, ahead / seconds) }
    let most = speed.map { speed in
      Int(clamping: (Double(reached.offset) + Self.haste * speed * seconds).rounded(.up))
        .subtractingReportingOverflow(taken).partialValue
    }
    // Its data is another's by now: what it had, nobody knows any more.
    return (.estimated(least, most), facts != nil)
  }

  /// The most between two polls; nil where there was one alone.
  private static func bytesPerSecond(_ samples: [Sample]) -> Double? {
    guard var before = samples.first, samples.count > 1 else { return nil }
    var most = 0.0
    for after in samples.dropFirst() where after.moment - before.moment >= Self.paceSeconds {
      most = max(most, (Double(after.offset) - Double(before.offset)) / (after.moment - before.moment))
      before = after
    }
    return most
  }

  private static func writes(_ bytes: Failover.Loss, _ takeover: Takeover, _ taken: Int) -> Failover.Loss? {
    if bytes == .exactly(0) { return bytes }
    let each = bytesPerChange(takeover.samples)
    if bytes.isExact || bytes.most == nil, let count = changes(takeover, after: taken, each) {
      return bytes.isExact ? .exactly(count) : .atLeast(count)
    }
    guard let each else { return nil }
    func count(_ bytes: Int, _ rule: FloatingPointRoundingRule) -> Int {
      Int(clamping: (Double(bytes) / each).rounded(rule))
    }
    if bytes.isExact { return .exactly(max(1, count(bytes.least, .toNearestOrAwayFromZero))) }
    return .estimated(count(bytes.least, .down), bytes.most.map { count($0, .up) })
  }

  /// What the old master itself counted after the new one's last byte: its PINGs and what Sentinels publish are no writes.
  private static func changes(_ takeover: Takeover, after taken: Int, _ each: Double?) -> Int? {
    guard let before = takeover.samples.last(where: { $0.offset <= taken }),
      let all = takeover.reached.changes(since: before)
    else { return nil }
    if all == 0 { return 0 }
    // The first of them came over.
    guard let each else { return nil }
    let least = takeover.samples.first { $0.offset >= taken }.flatMap { takeover.reached.changes(since: $0) } ?? 0
    return max(1, least, all - Int(clamping: ((Double(taken) - Double(before.offset)) / each).rounded()))
  }

  /// Over the last minutes; nil where no change was seen.
  private static func bytesPerChange(_ samples: [Sample]) -> Double? {
    var (written, changes) = (0.0, 0.0)
    for (before, after) in zip(samples, samples.dropFirst()) {
      guard let count = after.changes(since: before), count > 0 else { continue }
      written += Double(after.offset) - Double(before.offset)
      changes += Double(count)
    }
    return changes > 0 && written > 0 ? written / changes : nil
  }
}

extension TakeoverTracker.Member {
  fileprivate mutating func note(_ reading: MemberReading, at now: Monotonic) {
    if let answers = reading.answers, reading.began > polled {
      polled = reading.began
      if answers, let facts = reading.facts {
        take(facts)
      } else if !answers {
        lose(now)
      }
    }
    // A poll that was answered since says more than the probe before.
    if reading.isProbeAnswered == false, answered.map({ now - $0 > TakeoverTracker.probeSeconds }) ?? true { lose(now) }
    guard let probed = reading.probeAnswered, answered.map({ probed > $0 }) ?? true else { return }
    answered = probed
    if let lost, lost.back == nil, probed > lost.noticed { self.lost?.back = probed }
  }

  private mutating func lose(_ now: Monotonic) {
    facts = nil
    guard let answered, lost == nil || lost?.back != nil else { return }
    lost = (answered, now, nil)
  }

  private mutating func take(_ new: Shared<MemberFacts>) {
    let isRestarted = !runID.isEmpty && runID != new.server.runID
    if isRestarted, lost == nil || lost?.back != nil { lost = (mastered ?? demoted ?? polled, polled, nil) }
    if lost != nil, lost?.back == nil { lost?.back = polled }
    let isKnown = !runID.isEmpty
    runID = new.server.runID
    if answered.map({ polled > $0 }) ?? true { answered = polled }
    let wasMaster = mastered != nil && demoted == nil
    facts = new.replication
    guard let replication = new.replication else { return }
    guard replication.isMaster else {
      if wasMaster { demoted = polled }
      if isRestarted { (samples, reached) = ([], nil) }
      if reached != nil, replication.replicationID == streamID {
        reached = sample(replication, new.persistence, isLast: true)
      }
      promoted = nil
      return
    }
    if !wasMaster { promoted = isKnown ? polled : nil }
    if !wasMaster || isRestarted || streamID != replication.replicationID { samples = [] }
    (mastered, demoted, streamID) = (polled, nil, replication.replicationID)
    let oldCount = samples.prefix { polled - $0.moment > TakeoverTracker.keptSeconds }.count
    samples.removeFirst(max(oldCount, samples.count - TakeoverTracker.sampleLimit + 1))
    let newest = sample(replication, new.persistence)
    samples.append(newest)
    reached = newest
  }

  private func sample(
    _ replication: ReplicationFacts, _ persistence: PersistenceFacts, isLast: Bool = false
  ) -> TakeoverTracker.Sample {
    .init(
      moment: polled, offset: max(0, replication.masterOffset), changeCount: persistence.changesSinceSave,
      savedSeconds: persistence.lastSaveSeconds, isLast: isLast)
  }
}
