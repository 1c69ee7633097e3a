import Config
import Redis

/// Follows the failovers of one master as several Sentinels report them, and counts each once.
///
/// Sentinels publish `+switch-master` once each, up to seconds apart. The switch counts when most Sentinels vouch for it, or
/// the servers' own roles do; the others are known by old and new address. What was missed shows in `config-epoch`, which every failover raises (``observe(_:)``). Times are seconds
/// since the epoch and only ever compared. Every call returns what is to be done; nothing happens inside.
public struct SentinelFailoverTracker: Sendable {
  /// What must survive a restart of the daemon.
  public struct State: Sendable, Equatable {
    public var counts: [Failover.Kind: Int]
    public var lastNumber = 0
    /// When the last failover (aborted attempts apart) was counted; nil when there was none.
    public var lastFailoverSeconds: Double?
    /// The highest `config-epoch` that is accounted for; nil before the first was read.
    public var configEpoch: Int?
    public var address: NodeAddress?
    /// Masters whose failover was counted and whose `config-epoch` has not been read since, oldest first.
    public var unconfirmed: [NodeAddress] = []
    /// When a quorum last found the master down, until it was up again or replaced.
    public var quorumDownSeconds: Double?

    /// All counts start at 0, so that the first failover is an increase.
    public init() { counts = Dictionary(uniqueKeysWithValues: Self.kinds.map { ($0, 0) }) }
  }

  /// A failover that is under way, or a master that is found down.
  struct Episode: Sendable {
    var phaseSeconds: [Failover.Phase: Double] = [:]
    /// The Sentinels that find the master down, and those of them that speak for a quorum.
    var downBy: Set<String> = []
    var objectivelyDownBy: Set<String> = []
    /// The Sentinels whose attempts have neither succeeded nor ended.
    var attempting: Set<String> = []
    var hadQuorum = false
    var hadAttempt = false
    var trouble: String?
    var lastSeconds: Double
  }

  /// A counted failover that Sentinels may still report.
  struct Recent: Sendable {
    var record: Failover
    /// The Sentinels that published this switch.
    var toldBy: Set<String>
  }

  /// How long a Sentinel may lag behind the first in telling of the same switch.
  static let repeatSeconds = 180.0
  /// After this silence an episode is forgotten; longer than the default `failover-timeout` allows a failover.
  static let silenceSeconds = 600.0
  static let recentLimit = 16
  static let sentinelLimit = 64
  static let unconfirmedLimit = 64
  /// Failovers, and aborted attempts, that are counted in quick succession; more come one by one after this many seconds.
  static let burst = 10.0
  static let paceSeconds = 60.0

  public let masterName: String
  public internal(set) var state: State
  var episode: Episode?
  var recent: [Recent] = []
  var lastAbortSeconds: Double?
  var epochs = EpochTracker()
  var claims: [Claim] = []
  /// By Sentinel the replica that it last told to be promoted.
  var promotions: [String: Promotion] = [:]
  /// When the poll of each Sentinel was that has been taken in.
  private var heardSeconds: [NodeAddress: Double] = [:]
  private var switches = Allowance(burst, perSecond: 1 / paceSeconds)
  private var aborts = Allowance(burst, perSecond: 1 / paceSeconds)

  /// The Sentinels whose word counts and who can be asked; most of them make a switch true.
  public var voterCount = 1
  /// Switches that were published and never confirmed, or that came too quickly one after another.
  public internal(set) var unconfirmedCount = 0

  /// - Parameter state: what ``state`` was when the daemon last ran; counting goes on from there.
  public init(masterName: String, state: State = State()) {
    self.masterName = masterName
    self.state = state
    for kind in State.kinds where state.counts[kind] == nil { self.state.counts[kind] = 0 }
    self.state.configEpoch = state.configEpoch.map { max(0, $0) }
  }

  /// The furthest phase of what is under way; nil while all is well.
  public var phase: Failover.Phase? { episode?.phaseSeconds.keys.max() }

  /// Whether the master is found down, a failover is tried, or an epoch is not accounted for.
  public var isUnderWay: Bool { episode != nil || epochs.pending != nil }

  /// Takes in an event; those of other masters are ignored.
  ///
  /// - Parameters:
  ///   - sentinel: who sent it; stable over reconnects, such as its run id.
  ///   - seconds: when it arrived.
  public mutating func receive(_ event: SentinelEvent, from sentinel: String, atSeconds seconds: Double)
    -> [FailoverAction]
  {
    guard event.masterName == masterName else { return [] }
    var actions = advance(toSeconds: seconds)
    switch event {
    case .switchMaster(_, let from, let to):
      actions += switched(from: from, to: to, sentinel, seconds)
    case .instance(let change, let instance):
      actions += changed(change, instance, sentinel, seconds)
    case .newEpoch, .vote, .tilt, .other: break
    }
    return actions
  }

  /// Lets time pass: counts what was waiting for events that never came, forgets what is over.
  public mutating func advance(toSeconds seconds: Double) -> [FailoverAction] {
    if let last = episode?.lastSeconds, seconds - last > Self.silenceSeconds { episode = nil }
    recent.removeAll { seconds - $0.record.countedSeconds > Self.repeatSeconds }
    dropOldClaims(atSeconds: seconds)
    return settlePending(atSeconds: seconds)
  }

  // MARK: Events

  private mutating func switched(
    from: NodeAddress, to: NodeAddress, _ sentinel: String, _ seconds: Double
  ) -> [FailoverAction] {
    if let index = recent.firstIndex(where: { $0.isAbout(from: from, to: to) && !$0.toldBy.contains(sentinel) }) {
      return repeated(index, from: from, to: to, sentinel, seconds)
    }
    // A Sentinel that was cut off for long is brought up to date by the others.
    if from == to || to == state.address { return [] }
    claim(from: from, to: to, sentinel, seconds)
    let actions = settleClaims(atSeconds: seconds)
    return actions.isEmpty ? [.poll] : actions
  }

  /// Counts a switch that is confirmed.
  ///
  /// - Parameter now: seconds since the epoch.
  mutating func count(_ claim: Claim, atSeconds now: Double) -> [FailoverAction] {
    guard switches.take(atSeconds: now) else {
      unconfirmedCount += 1
      return []
    }
    let (from, to, seconds) = (claim.from, claim.to, claim.seconds)
    var actions: [FailoverAction] = []
    // The master that is replaced is not the one that we knew: a switch between them was missed.
    if let known = state.address, !known.mayBe(from), state.configEpoch != nil {
      actions.append(missed(to: from, epoch: nil, atMost: 1, seconds))
    }
    let episode = episode
    var record = newRecord(switchKind(atSeconds: seconds), seconds)
    record.from = from
    record.to = to
    record.phaseSeconds = episode?.phaseSeconds ?? [:]
    record.phaseSeconds[.switched] = seconds
    record.trouble = episode?.trouble
    self.episode = nil
    state.quorumDownSeconds = nil
    state.address = to
    state.unconfirmed = (state.unconfirmed + [to]).suffix(Self.unconfirmedLimit)
    state.lastFailoverSeconds = seconds
    epochs.pending = nil
    remember(Recent(record: record, toldBy: claim.toldBy))
    return actions + [.count(record), .poll]
  }

  /// Another Sentinel reports a switch that was counted.
  private mutating func repeated(
    _ index: Int, from: NodeAddress, to: NodeAddress, _ sentinel: String, _ seconds: Double
  ) -> [FailoverAction] {
    if recent[index].toldBy.count < Self.sentinelLimit { recent[index].toldBy.insert(sentinel) }
    guard recent[index].record.kind == .missed else {
      // What it found down under another name of the old master is over for it.
      if episode?.downBy.remove(sentinel) != nil, episode?.downBy.isEmpty == true, episode?.hadAttempt == false {
        episode = nil
      }
      return []
    }
    // It had been counted from the epoch alone; now its course is known.
    recent[index].record.from = from
    recent[index].record.to = to
    recent[index].record.phaseSeconds = episode?.phaseSeconds ?? [:]
    recent[index].record.phaseSeconds[.switched] = seconds
    if state.unconfirmed.isEmpty { state.address = to }
    episode = nil
    return [.update(recent[index].record)]
  }

  /// Automatic when a quorum had found the master down. Where the leader of the failover was not heard, a Sentinel that
  /// found it down is evidence enough, and so is what was known before a restart; a leader that was heard would have shown
  /// the quorum first.
  private func switchKind(atSeconds seconds: Double) -> Failover.Kind {
    if episode?.hadQuorum == true { return .automatic }
    if episode?.hadAttempt == true { return .manual }
    let wasDown = state.quorumDownSeconds.map { seconds - $0 <= Self.silenceSeconds } ?? false
    return wasDown || episode?.downBy.isEmpty == false ? .automatic : .manual
  }

  // MARK: Records

  mutating func mayCountAbort(atSeconds seconds: Double) -> Bool { aborts.take(atSeconds: seconds) }

  mutating func newRecord(_ kind: Failover.Kind, _ seconds: Double) -> Failover {
    state.counts[kind, default: 0] += 1
    state.lastNumber += 1
    return Failover(key: "\(state.lastNumber)", subject: masterName, kind: kind, countedSeconds: seconds)
  }

  mutating func remember(_ counted: Recent) { recent = (recent + [counted]).suffix(Self.recentLimit) }
}

extension SentinelFailoverTracker.Recent {
  func isAbout(from: NodeAddress, to: NodeAddress) -> Bool {
    guard record.kind != .aborted else { return false }
    return (record.from?.mayBe(from) ?? true) && (record.to?.mayBe(to) ?? true)
  }
}

extension SentinelFailoverTracker: FailoverTracking {
  init(_ config: WorkloadConfig, state: State) {
    self.init(masterName: config.sentinel?.masterName ?? "", state: state)
  }

  var unconfirmedFailoverCount: Int? { unconfirmedCount }

  mutating func expect(voterCount count: Int) { voterCount = max(1, count) }

  mutating func observe(_ evidence: FailoverEvidence) -> [FailoverAction] {
    var actions: [FailoverAction] = []
    for reading in evidence.sentinels where heardSeconds[reading.address] != reading.seconds {
      guard let master = reading.facts?.sentinel?.master else { continue }
      actions += observe(Observation(master, sentinel: reading.address.name, seconds: reading.endedSeconds))
    }
    heardSeconds = Dictionary(
      evidence.sentinels.map { ($0.address, $0.seconds) }, uniquingKeysWith: { first, _ in first })
    return actions + settleClaims(atSeconds: evidence.wallSeconds, role: evidence.role)
      + advance(toSeconds: evidence.wallSeconds)
  }
}

extension SentinelFailoverTracker.State: FailoverState {
  static let kinds = Failover.Kind.allCases

  private static let fact = "failover"
  var facts: [String: String] { [Self.fact: text] }
  init(facts: [String: String]) { self.init(text: facts[Self.fact] ?? "") }

  /// Lines of `name value`. What cannot be read is as if it were missing.
  var text: String {
    var lines = ["number \(lastNumber)"]
    if let lastFailoverSeconds { lines.append("last \(lastFailoverSeconds)") }
    if let configEpoch { lines.append("epoch \(configEpoch)") }
    if let address { lines.append("address \(address.storedText)") }
    if let quorumDownSeconds { lines.append("down \(quorumDownSeconds)") }
    lines += unconfirmed.map { "unconfirmed \($0.storedText)" }
    return lines.joined(separator: "\n")
  }

  /// The counts are kept apart and start at 0 here.
  init(text: String) {
    self.init()
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 1).map(String.init)
      guard words.count == 2 else { continue }
      switch words[0] {
      case "number": lastNumber = max(0, storedInteger(words[1]) ?? 0)
      case "last": lastFailoverSeconds = Double(words[1])
      case "epoch": configEpoch = storedInteger(words[1])
      case "address": address = NodeAddress(storedText: words[1])
      case "down": quorumDownSeconds = Double(words[1])
      case "unconfirmed": if let address = NodeAddress(storedText: words[1]) { unconfirmed.append(address) }
      default: break
      }
    }
  }
}
