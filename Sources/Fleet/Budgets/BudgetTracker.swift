import Config
import Redis
import Runtime
import Storage

/// Counts what a workload uses of its error budgets, by what came of the probes of its masters. Pure: clocks are parameters.
///
/// A second is bad by the share of probes that the masters owe and did not give, of as many masters as there should be: one
/// that is missing gives none. What redline did not see is unknown, neither good nor bad; so are the time of a maintenance
/// window, and the first seconds in which the members are still being made out.
struct BudgetTracker: Sendable {
  /// A workload at one look.
  struct Look: Sendable {
    /// The members that report the role master.
    var masters: Set<NodeAddress> = []
    /// How many there should be; nil where nobody says so: then those that there are.
    var owedCount: Int?
    /// Members that no poll has ended of: each may be a master.
    var unreadCount = 0
    /// Those in force.
    var objectives: Objectives
    var isInMaintenance = false
  }

  /// What came of all probes of a server; nil where it is not probed.
  typealias Probes = (NodeAddress) -> ProbeCounts?

  /// A span is counted when it is so old, and whenever another master or objective begins to count.
  static let spanSeconds = 5.0
  /// A span that lasted longer was not watched.
  static let gapSeconds = 30.0
  /// So long at most are members made out before one that is missing counts.
  static let settlingSeconds = 15.0

  fileprivate struct Span {
    let look: Look
    let began: Monotonic
    let probes: [NodeAddress: ProbeCounts]
  }

  private(set) var history = BudgetHistory()
  private var open: Span?
  private var started: Monotonic?
  private var isSettled = false
  private(set) var isRestored = false
  private var savedMinute = Int64.min
  private var isUrgent = false
  private var fileNumber = 0

  /// A change of configuration or a start: what was watched before goes on with other connections.
  mutating func begin() {
    (open, started, isSettled) = (nil, nil, false)
  }

  /// Takes over what the file holds. Before that nothing is handed out to be written.
  mutating func restore(_ rows: [StoredBudget]) {
    guard !isRestored else { return }
    history.adopt(rows)
    isRestored = true
  }

  /// Takes in a look.
  ///
  /// - Parameters:
  ///   - now: by a clock that only goes forward: how long spans are.
  ///   - wall: where they lie.
  /// - Returns: whether a span has ended: how the budgets stand has changed with the time.
  @discardableResult
  mutating func note(_ look: Look, _ probes: Probes, at now: Monotonic, _ wall: WallTime) -> Bool {
    settle(look, at: now)
    history.look(at: wall)
    guard let span = open else {
      open = Span(look, probes, at: now)
      return false
    }
    let isChanged = look != span.look
    guard isChanged || now - span.began >= Self.spanSeconds else { return false }
    open = Span(look, probes, at: now)
    let seconds = now - span.began
    if isSettled, seconds > 0, seconds <= Self.gapSeconds, !span.look.isInMaintenance {
      count(span, probes, seconds: seconds, endingAt: wall)
    }
    return true
  }

  private mutating func settle(_ look: Look, at now: Monotonic) {
    guard !isSettled else { return }
    let since = started ?? now
    started = since
    let isComplete = look.owedCount.map { look.masters.count >= $0 } ?? false
    isSettled = look.unreadCount == 0 && isComplete || now - since >= Self.settlingSeconds
    // What was seen until now is no span.
    if isSettled { open = nil }
  }

  private mutating func count(_ span: Span, _ probes: Probes, seconds: Double, endingAt wall: WallTime) {
    let look = span.look
    let owed = Double(look.owedCount ?? look.masters.count)
    guard owed > 0 else { return }
    let missing = max(0, owed - Double(look.masters.count))
    let undecided = min(missing, Double(look.unreadCount))
    for objective in BudgetObjective.allCases {
      guard let left = look.objectives.shareLeft(by: objective) else { continue }
      var (unknown, good) = (undecided, 0.0)
      for master in look.masters {
        if let share = span.goodShare(of: master, probes(master), look.objectives, objective) {
          good += share
        } else {
          unknown += 1
        }
      }
      let known = max(0, owed - unknown)
      let bad = max(0, known - good)
      guard known > 0 else { continue }
      let share = BudgetAmount(known: known / owed, bad: bad / owed, spent: bad / owed / left)
      history.add(share * seconds, of: objective, seconds: seconds, endingAt: wall)
      isUrgent = isUrgent || bad > 0
    }
  }

  /// What is to be written now: at each turn of a minute, at once while something is bad, and `isLast` at the end.
  ///
  /// - Parameter fileNumber: another one where another file is written.
  mutating func takeChanges(
    workload: String, fileNumber: Int, isLast: Bool = false, at wall: WallTime
  ) -> [StoredBudget] {
    guard isRestored else { return [] }
    let minute = Int64(clamping: (wall.seconds / 60).rounded(.down))
    let isOther = self.fileNumber != fileNumber
    if isOther, self.fileNumber != 0 { history.markAllChanged() }
    self.fileNumber = fileNumber
    guard isLast || isOther || isUrgent || minute != savedMinute else { return [] }
    let isHourOver = minute / 60 != savedMinute / 60
    (savedMinute, isUrgent) = (minute, false)
    return history.takeChanges(workload: workload, of: isLast || isOther || isHourOver ? [.minute, .hour] : [.minute])
  }
}

extension BudgetTracker.Look: Equatable {
  /// In what counts: who is not polled yet changes all the time.
  static func == (left: Self, right: Self) -> Bool {
    left.masters == right.masters && left.owedCount == right.owedCount
      && left.isInMaintenance == right.isInMaintenance
      && left.objectives.availabilityRatio == right.objectives.availabilityRatio
      && left.objectives.latencyP99 == right.objectives.latencyP99
  }
}

extension BudgetTracker.Span {
  init(_ look: BudgetTracker.Look, _ probes: BudgetTracker.Probes, at now: Monotonic) {
    self.look = look
    began = now
    self.probes = Dictionary(
      uniqueKeysWithValues: look.masters.compactMap { master in probes(master).map { (master, $0) } })
  }

  /// The share of a master's probes in the span that met an objective; nil where there was none to tell.
  func goodShare(
    of master: NodeAddress, _ now: ProbeCounts?, _ objectives: Objectives, _ objective: BudgetObjective
  ) -> Double? {
    guard let before = probes[master], let now else { return nil }
    let count = now.durations.count - before.durations.count
    // Another prober began at 0.
    guard count >= 0, now.failureCount >= before.failureCount else { return nil }
    guard count > 0 else {
      // Too short a span for a probe: the newest one stands for it, which says nothing of its time.
      return objective == .availability ? now.isAnswered.map { $0 ? 1 : 0 } : nil
    }
    let answered = count - Double(now.failureCount - before.failureCount)
    switch objective {
    case .availability: return answered / count
    case .latency:
      guard let limit = objectives.latencyP99?.seconds else { return nil }
      return max(0, min(answered, now.durations.count(within: limit) - before.durations.count(within: limit))) / count
    }
  }
}

extension Objectives {
  /// The share that an objective leaves to what is bad; nil where it is off or leaves nothing.
  func shareLeft(by objective: BudgetObjective) -> Double? {
    switch objective {
    case .availability: availabilityRatio.flatMap { $0 < 1 ? max(1 - $0, BudgetRow.smallestShare) : nil }
    case .latency: latencyP99 == nil ? nil : Self.latencyShareLeft
    }
  }

  /// The objective is a 99th percentile.
  static let latencyShareLeft = 0.01
}
