import Redis
import Runtime

/// How late each replica of one master is, in seconds, right for replicas that are online, syncing, disconnected or absent.
///
/// While there is no master that answers, nobody falls behind it: its silence is taken out of what is counted.
public struct ReplicationLag: Sendable {
  public enum State: String, Sendable, CaseIterable {
    case online, syncing
    /// It was online, and the master lists it no more.
    case disconnected
    /// Expected, and never seen online.
    case absent
  }

  public struct Lag: Sendable, Equatable {
    public let state: State
    /// Online: how late its data is. Else: seconds since it was last online, or since it is expected.
    public let seconds: Double
    /// The true lag may be larger: it began before the master was watched.
    public let isAtLeast: Bool
    /// Bytes behind the master, both offsets of one reply; nil while it is not online.
    public let bytes: Int?
  }

  private struct Track: Sendable {
    var lastOnline: Monotonic?
    let expected: Monotonic
  }

  public private(set) var history = OffsetHistory()
  /// When the master itself was last heard.
  public private(set) var masterMoment: Monotonic?
  private var isInterrupted = false
  /// When the master answered again after it had not, or was another one; nil while that never was.
  private var resumed: Monotonic?
  private var links: [NodeAddress: ReplicationFacts.Replica] = [:]
  private var tracks: [NodeAddress: Track] = [:]

  public init() {}

  /// Names the replicas that there should be: others are forgotten.
  public mutating func expect(_ replicas: Set<NodeAddress>, at moment: Monotonic) {
    tracks = tracks.filter { replicas.contains($0.key) }
    for replica in replicas where tracks[replica] == nil { tracks[replica] = Track(expected: moment) }
  }

  /// Takes note that the master does not answer, or is another one from now on.
  public mutating func interrupt() { isInterrupted = masterMoment != nil }

  /// Takes in the master's INFO.
  ///
  /// - Parameter seconds: when it answered, by the clock that `lag` is asked with.
  public mutating func note(_ master: ReplicationFacts, at moment: Monotonic) {
    guard master.isMaster else { return }
    if isInterrupted, let last = masterMoment { resume(from: last, at: moment) }
    history.note(offset: master.offset, replicationID: master.replicationID, at: moment)
    masterMoment = moment
    links = Dictionary(master.replicas.map { ($0.address, $0) }, uniquingKeysWith: ReplicationFacts.Replica.worse)
    for (address, link) in links where link.state == .online { tracks[address]?.lastOnline = moment }
  }

  /// What was online when the master last answered has been online until now.
  private mutating func resume(from last: Monotonic, at moment: Monotonic) {
    isInterrupted = false
    resumed = moment
    history.skip(seconds: moment - last)
    for (address, track) in tracks where track.lastOnline == last {
      tracks[address]?.lastOnline = moment
    }
  }

  /// - Returns: nil for a replica that is not expected, and while the master has never answered.
  public func lag(of replica: NodeAddress, at now: Monotonic) -> Lag? {
    guard let track = tracks[replica], let masterMoment, let offset = history.entries.last?.offset else { return nil }
    // By what name the master lists it is its own affair where only one can be meant.
    let link = links[replica] ?? onlyLink { $0.mayBe(replica) && tracks[$0] == nil }
    guard let link, link.state == .online else {
      let since = track.lastOnline ?? track.expected
      let state: State = link != nil ? .syncing : track.lastOnline != nil ? .disconnected : .absent
      return Lag(state: state, seconds: max(0, now - since), isAtLeast: track.lastOnline == nil, bytes: nil)
    }
    let lateness = link.offset.flatMap { history.lateness(offset: $0, at: masterMoment) } ?? (0, false)
    // Acknowledgements come once a second: a healthy replica shows 0 or 1, one that hangs shows more although nothing
    // is written that it could miss. A master that hung has heard nobody meanwhile.
    let ackAge = link.ackAgeSeconds > 1 ? Double(link.ackAgeSeconds) : 0
    let silence = resumed.map { min(ackAge, masterMoment - $0) } ?? ackAge
    return Lag(
      state: .online, seconds: max(lateness.seconds, silence), isAtLeast: lateness.isAtLeast || silence < ackAge,
      bytes: link.offset.map { max(0, offset.subtractingReportingOverflow($0).partialValue) })
  }

  /// How much a failover now would lose: the lateness of the best replica that can be promoted, in seconds; infinite where
  /// there is none. nil while the master has never answered.
  ///
  /// - Parameter electable: replicas whose priority is above 0.
  public func failoverLossSeconds(electable: Set<NodeAddress>, at now: Monotonic) -> Double? {
    guard masterMoment != nil else { return nil }
    let lags = electable.compactMap { lag(of: $0, at: now) }.filter { $0.state == .online }
    return lags.map(\.seconds).min() ?? .infinity
  }

  private func onlyLink(_ isMeant: (NodeAddress) -> Bool) -> ReplicationFacts.Replica? {
    let meant = links.filter { isMeant($0.key) }
    return meant.count == 1 ? meant.first?.value : nil
  }
}
