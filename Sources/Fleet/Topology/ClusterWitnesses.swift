import Runtime

/// Remembers what the nodes of a cluster told, and judges by it whether a failover was asked for.
///
/// Who looks every few seconds only sees that another node is master, and no flag that lasted. The nodes themselves count
/// the messages that a manual failover and a failure cause, which no poll can come too late for.
struct ClusterWitnesses: Sendable {
  private struct Witness: Sendable {
    var runID = ""
    var messages: ClusterTestimony.Messages?
    /// When it was last read at all, and last read as a replica.
    var ended: WallTime
    var lastReplica: WallTime?
    var isMaster = false
    var answers = false
    /// When it was last found to have taken part in a request for a manual failover, or in the notice of a failure.
    var requested: WallTime?
    var noticed: WallTime?
    var silent: WallTime?
    var restarted: WallTime?
    /// When any other node last found it, as a master, failing.
    var accused: WallTime?
  }

  /// How a failover came about, as far as that is known.
  enum Verdict: Sendable, Equatable { case manual, automatic, open }

  /// A manual failover ends this long after it was asked for (CLUSTER_MF_TIMEOUT of cluster.h).
  static let manualSeconds = 5.0
  /// From the notice of a failure to the election: a second or two, unless there is trouble.
  static let failureSeconds = 30.0
  /// How long the new master, and then the old one, is waited for.
  static let newMasterSeconds = 5.0
  static let oldMasterSeconds = 10.0

  private var witnesses: [String: Witness] = [:]

  /// Takes in the newest polls; one that was taken in before changes nothing.
  mutating func note(_ testimonies: [ClusterTestimony]) {
    for testimony in testimonies { note(testimony) }
  }

  mutating func forget(allBut ids: Set<String>) { witnesses = witnesses.filter { ids.contains($0.key) } }

  private mutating func note(_ testimony: ClusterTestimony) {
    let ended = testimony.ended
    let known = witnesses[testimony.id]
    if let known, known.ended >= ended { return }
    var witness = known ?? Witness(ended: ended)
    witness.ended = ended
    witness.answers = testimony.answer != nil
    guard let answer = testimony.answer else {
      witness.silent = ended
      witnesses[testimony.id] = witness
      return
    }
    let isRestarted = !witness.runID.isEmpty && witness.runID != answer.runID
    if isRestarted { witness.restarted = ended }
    if let messages = answer.messages {
      // Another process counts from 0.
      let before = isRestarted ? .init(manualRequestCount: 0, failNoticeCount: 0) : witness.messages ?? messages
      if messages.manualRequestCount > before.manualRequestCount { witness.requested = ended }
      if messages.failNoticeCount > before.failNoticeCount { witness.noticed = ended }
    }
    witness.runID = answer.runID
    witness.messages = answer.messages
    witness.isMaster = answer.isMaster
    if !answer.isMaster { witness.lastReplica = ended }
    witnesses[testimony.id] = witness
    for id in answer.failingMasters where id != testimony.id {
      witnesses[id, default: Witness(ended: .distantPast)].accused = ended
    }
  }

  /// - Parameters:
  ///   - foundSeconds: when the failover was found.
  ///   - isFailing: the old master was found failing by the merged view.
  func verdict(from: String, to: String, found: WallTime, isFailing: Bool, at now: WallTime) -> Verdict {
    let (old, new) = (witnesses[from], witnesses[to])
    let waitedSeconds = now - found
    // The new master was still a replica then.
    let beginning = min(new?.lastReplica ?? found, found)
    let requests = [old?.requested, new?.requested].compactMap { $0 }
    if requests.contains(where: { $0 > beginning - Self.manualSeconds }) { return .manual }
    let isNewMasterHeard = new.map { $0.isMaster && $0.answers && $0.messages != nil } ?? false
    guard isNewMasterHeard || waitedSeconds >= Self.newMasterSeconds else { return .open }

    let signs =
      witnesses.values.map(\.noticed) + [old?.accused, old?.silent, old?.restarted]
    if isFailing || signs.contains(where: { $0.map { $0 > beginning - Self.failureSeconds } ?? false }) {
      return .automatic
    }
    // Nobody found it failing: CLUSTER FAILOVER FORCE or TAKEOVER, unless it turns out to be dead after all.
    if let old, old.answers, !old.isMaster, old.ended > beginning { return .manual }
    guard waitedSeconds >= Self.oldMasterSeconds else { return .open }
    return old?.answers == true ? .manual : .automatic
  }
}
