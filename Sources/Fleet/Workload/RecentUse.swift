import Redis
import Runtime

/// How applications used a member over the last 15 minutes, minute by minute. Pure.
struct RecentUse: Sendable, Equatable {
  static let windowSeconds = 900.0
  /// How much of the window must have been watched.
  private static let leastSeconds = 840.0
  private static let stepSeconds = 60.0
  /// How long after masters changed or slots moved redirections are no mistake of applications.
  static let settlingSeconds = 600.0

  private struct Step: Sendable, Equatable {
    let end: Monotonic
    let seconds: Double
    let mix: CommandMix
    /// Whether no master had changed and no slot moved shortly before.
    let isSettled: Bool
  }
  private var base: (mix: CommandMix, moment: Monotonic, runID: String)?
  private var steps: [Step] = []

  static func == (left: RecentUse, right: RecentUse) -> Bool { left.steps == right.steps }

  /// - Parameters:
  ///   - moment: when it was read, by a clock that only goes forward.
  ///   - shifted: when masters last changed or slots moved; nil for never.
  mutating func note(_ mix: CommandMix, runID: String, at moment: Monotonic, shifted: Monotonic?) {
    guard let base, base.runID == runID, let grown = mix.since(base.mix) else {
      self.base = (mix, moment, runID)
      return
    }
    let seconds = moment - base.moment
    guard seconds >= Self.stepSeconds else { return }
    self.base = (mix, moment, runID)
    let isSettled = shifted.map { base.moment - $0 >= Self.settlingSeconds } ?? true
    // A step that is longer than the window tells nothing of when.
    if seconds <= Self.windowSeconds / 3 {
      steps.append(Step(end: moment, seconds: seconds, mix: grown, isSettled: isSettled))
    }
    steps.removeAll { moment - $0.end >= Self.windowSeconds }
  }

  /// How much of the last 15 minutes was watched.
  var watchedSeconds: Double { steps.reduce(0) { $0 + $1.seconds } }
  var isFull: Bool { watchedSeconds >= Self.leastSeconds }

  /// Why nothing is compared yet.
  var watchedText: String {
    "it was watched for \(Int(clamping: (watchedSeconds / 60).rounded(.down))) of 15 minutes"
  }

  /// All of it.
  var total: CommandMix { steps.reduce(into: CommandMix()) { $0.add($1.mix) } }

  /// What came while the topology was as it had been for a while, and in how many steps of a minute there was any.
  func settled(_ part: KeyPath<CommandMix, Int>) -> (count: Int, steps: Int, all: CommandMix) {
    let settled = steps.filter(\.isSettled)
    let all = settled.reduce(into: CommandMix()) { $0.add($1.mix) }
    return (all[keyPath: part], settled.count { $0.mix[keyPath: part] > 0 }, all)
  }
}

/// When the masters of a workload last changed, or slots of its cluster were last on their way. Pure.
struct TopologyShifts: Sendable {
  private struct Place: Sendable {
    var isMaster: Bool
    var slots: [ClosedRange<Int>]?
  }
  private var places: [NodeAddress: Place] = [:]
  /// nil for never.
  private(set) var newest: Monotonic?

  mutating func note(_ readings: [MemberReading]) {
    for reading in readings {
      guard let facts = reading.facts, let replication = facts.replication else { continue }
      let myself = facts.cluster?.nodes.first(where: \.isMyself)
      let place = Place(isMaster: replication.isMaster, slots: myself?.slots)
      let before = places[reading.address]
      let isChanged = before.map { $0.isMaster != place.isMaster || $0.slots != place.slots } ?? false
      let isMoving =
        myself?.movingSlots.isEmpty == false || facts.slotMigrations?.contains { $0.stage == .underWay } == true
      if isChanged || isMoving { newest = max(newest ?? reading.began, reading.began) }
      places[reading.address] = place
    }
  }

  mutating func forget(_ addresses: Set<NodeAddress>) {
    for address in addresses { places[address] = nil }
  }
}
