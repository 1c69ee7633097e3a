import Config
import Redis
import Runtime

/// Follows the failovers of one master as several Sentinels report them, and counts each once.
///
/// Sentinels publish `+switch-master` once each, up to seconds apart. The switch counts when most Sentinels vouch for it, or
/// the servers' own roles do; the others are known by old and new address. What was missed shows in `config-epoch`, which every failover raises (``observe(_:)``). Times are
/// only ever compared. Every call returns what is to be done; nothing happens inside.
public struct SentinelFailoverTracker: Sendable {
  /// What must survive a restart of the daemon.
  public struct State: Sendable, Equatable {
    public var counts: [Failover.Kind: Int]
    public var lastNumber = 0
    /// When the last failover (aborted attempts apart) was counted; nil when there was none.
    public var lastFailover: WallTime?
    /// The highest `config-epoch` that is accounted for; nil before the first was read.
    public var configEpoch: Int?
    public var address: NodeAddress?
    /// Masters whose failover was counted and whose `config-epoch` has not been read since, oldest first.
    public var unconfirmed: [NodeAddress] = []
    /// When a quorum last found the master down, until it was up again or replaced.
    public var quorumDown: WallTime?

    /// All counts start at 0, so that the first failover is an increase.
    public init() { counts = Dictionary(uniqueKeysWithValues: Self.kinds.map { ($0, 0) }) }
  }

  /// A failover that is under way, or a master that is found down.
  struct Episode: Sendable {
    var phases: [Failover.Phase: WallTime] = [:]
    /// The Sentinels that find the master down, and those of them that speak for a quorum.
    var downBy: Set<String> = []
    var objectivelyDownBy: Set<String> = []
    /// The Sentinels whose attempts have neither succeeded nor ended.
    var attempting: Set<String> = []
    var hadQuorum = false
    var hadAttempt = false
    var trouble: String?
    /// By Sentinel the epoch of its attempt, and that of the one who was elected to lead.
    var attemptEpochs: [String: Int] = [:]
    var epoch: Int?
    var last: WallTime
  }

  /// A counted failover that Sentinels may still report.
  struct Recent: Sendable {
    var record: Failover
    /// The Sentinels that published this switch.
    var toldBy: Set<String>
    /// Whether its epoch has been read since.
    var isConfirmed = false
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
  var lastAbort: WallTime?
  var epochs = EpochTracker()
  var claims: [Claim] = []
  /// By Sentinel the replica that it last told to be promoted.
  var promotions: [String: Promotion] = [:]
  /// When the poll of each Sentinel was that has been taken in.
  private var heard: [NodeAddress: Monotonic] = [:]
  private var switches = Allowance<WallTime>(burst, perSecond: 1 / paceSeconds)
  private var aborts = Allowance<WallTime>(burst, perSecond: 1 / paceSeconds)

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
  public var phase: Failover.Phase? { episode?.phases.keys.max() }

  /// Whether the master is found down, a failover is tried, or an epoch is not accounted for.
  public var isUnderWay: Bool { episode != nil || epochs.pending != nil }

  /// Takes in an event; those of other masters are ignored.
  ///
  /// - Parameters:
  ///   - sentinel: who sent it; stable over reconnects, such as its run id.
  ///   - moment: when it arrived.
  public mutating func receive(_ event: SentinelEvent, from sentinel: String, at moment: WallTime)
    -> [FailoverAction]
  {
    // A Sentinel publishes the epoch of an attempt just before the attempt.
    if case .newEpoch(let epoch) = event { epochs.publish(epoch, sentinel) }
    guard event.masterName == masterName else { return [] }
    var actions = advance(to: moment)
    switch event {
    case .switchMaster(_, let from, let to):
      actions += switched(from: from, to: to, sentinel, moment)
    case .instance(let change, let instance):
      actions += changed(change, instance, sentinel, moment)
    case .newEpoch, .vote, .tilt, .other: break
    }
    return actions
  }

  /// Lets time pass: counts what was waiting for events that never came, forgets what is over.
  public mutating func advance(to moment: WallTime) -> [FailoverAction] {
    if let last = episode?.last, moment - last > Self.silenceSeconds { episode = nil }
    recent.removeAll { moment - $0.record.counted > Self.repeatSeconds }
    dropOldClaims(at: moment)
    return settlePending(at: moment)
  }

  // MARK: Events

  private mutating func switched(
    from: NodeAddress, to: NodeAddress, _ sentinel: String, _ moment: WallTime
  ) -> [FailoverAction] {
    if let index = recent.firstIndex(where: { $0.isAbout(from: from, to: to) && !$0.toldBy.contains(sentinel) }) {
      return repeated(index, from: from, to: to, sentinel, moment)
    }
    // A Sentinel that was cut off for long is brought up to date by the others.
    if from == to || to == state.address { return [] }
    claim(from: from, to: to, sentinel, moment)
    let actions = settleClaims(at: moment)
    return actions.isEmpty ? [.poll] : actions
  }

  /// Counts a switch that is confirmed.
  ///
  /// - Parameter now: by the wall clock.
  mutating func count(_ claim: Claim, at now: WallTime) -> [FailoverAction] {
    guard switches.take(at: now) else {
      unconfirmedCount += 1
      return []
    }
    let (from, to, moment) = (claim.from, claim.to, claim.moment)
    var actions: [FailoverAction] = []
    // The master that is replaced is not the one that we knew: a switch between them was missed.
    if let known = state.address, !known.mayBe(from), state.configEpoch != nil {
      actions.append(missed(to: from, epoch: nil, atMost: 1, moment))
    }
    let episode = episode
    var record = newRecord(switchKind(at: moment), moment)
    record.from = from
    record.to = to
    record.phases = episode?.phases ?? [:]
    record.phases[.switched] = moment
    record.trouble = episode?.trouble
    record.epoch = episode?.epoch
    self.episode = nil
    state.quorumDown = nil
    state.address = to
    state.unconfirmed = (state.unconfirmed + [to]).suffix(Self.unconfirmedLimit)
    state.lastFailover = moment
    epochs.pending = nil
    remember(Recent(record: record, toldBy: claim.toldBy))
    return actions + [.count(record), .poll]
  }

  /// Another Sentinel reports a switch that was counted.
  private mutating func repeated(
    _ index: Int, from: NodeAddress, to: NodeAddress, _ sentinel: String, _ moment: WallTime
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
    recent[index].record.phases = episode?.phases ?? [:]
    recent[index].record.phases[.switched] = moment
    if state.unconfirmed.isEmpty { state.address = to }
    episode = nil
    return [.update(recent[index].record)]
  }

  /// Automatic when a quorum had found the master down. Where the leader of the failover was not heard, a Sentinel that
  /// found it down is evidence enough, and so is what was known before a restart; a leader that was heard would have shown
  /// the quorum first.
  private func switchKind(at moment: WallTime) -> Failover.Kind {
    if episode?.hadQuorum == true { return .automatic }
    if episode?.hadAttempt == true { return .manual }
    let wasDown = state.quorumDown.map { moment - $0 <= Self.silenceSeconds } ?? false
    return wasDown || episode?.downBy.isEmpty == false ? .automatic : .manual
  }

  // MARK: Records

  mutating func mayCountAbort(at moment: WallTime) -> Bool { aborts.take(at: moment) }

  mutating func newRecord(_ kind: Failover.Kind, _ moment: WallTime) -> Failover {
    state.counts[kind, default: 0] += 1
    state.lastNumber += 1
    return Failover(key: "\(state.lastNumber)", subject: masterName, kind: kind, counted: moment)
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
    for reading in evidence.sentinels where heard[reading.address] != reading.began {
      guard let master = reading.facts?.sentinel?.master else { continue }
      actions += observe(Observation(master, sentinel: reading.address.name, moment: reading.ended))
    }
    heard = Dictionary(
      evidence.sentinels.map { ($0.address, $0.began) }, uniquingKeysWith: { first, _ in first })
    return actions + settleClaims(at: evidence.wall, role: evidence.role)
      + advance(to: evidence.wall)
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
    if let lastFailover { lines.append("last \(lastFailover.seconds)") }
    if let configEpoch { lines.append("epoch \(configEpoch)") }
    if let address { lines.append("address \(address.storedText)") }
    if let quorumDown { lines.append("down \(quorumDown.seconds)") }
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
      case "last": lastFailover = storedTime(words[1])
      case "epoch": configEpoch = storedInteger(words[1])
      case "address": address = NodeAddress(storedText: words[1])
      case "down": quorumDown = storedTime(words[1])
      case "unconfirmed": if let address = NodeAddress(storedText: words[1]) { unconfirmed.append(address) }
      default: break
      }
    }
  }
}
