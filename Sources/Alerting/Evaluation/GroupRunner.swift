import PromQL
import Runtime
import Storage

/// One rule group at work: it evaluates when its turn comes, when a pending alert is due, and when it is called.
///
/// Only its own loop evaluates, one evaluation after another, so that an alert is stored before it is sent, and
/// changes are sent in their order.
actor GroupRunner {
  /// Evaluations out of turn may take one part in so many of the time.
  static let calledShare: Int64 = 10

  /// What a group has to do with the rest of the daemon.
  struct Surroundings: Sendable {
    /// The time of evaluations, milliseconds since 1970.
    let now: @Sendable () -> Int64
    /// Brings the newest samples into the store.
    let refresh: @Sendable () async -> Void
    /// Hands on what Alertmanagers are to be told, with the rule's expression. Must not wait.
    let deliver: @Sendable ([Notification], _ expression: String) -> Void
    let observer: EvaluationObserver?
    /// Is told before that which alerts began to wait or to fire, or ended. Must not wait.
    let alertsChanged: @Sendable ([AlertChange]) -> Void
    /// Nil where nothing is kept.
    let stateStore: RuleStateStore?
    let resendDelayMilliseconds: Int64
  }

  /// What is counted of one group.
  struct Counts: Sendable, Equatable {
    var iterations = 0
    var missedIterations = 0
    var evaluations = 0
    var failures = 0
    /// Evaluations out of turn.
    var urgentIterations = 0
    /// Whole evaluations that took longer than the interval.
    var slowIterations = 0
  }

  struct View: Sendable {
    var state: GroupState
    var counts = Counts()
  }

  nonisolated let intervalMilliseconds: Int64
  /// Whose samples the group's are.
  nonisolated let origin: SeriesOrigin
  private nonisolated let shown: Lock<View>
  private let evaluator: GroupEvaluator
  private let surroundings: Surroundings
  private let keys: [String]
  /// What the store was last given, by rule.
  private var kept: [[Alert]]
  /// Their events, by rule.
  private var events: [AlertEvents]
  private var state: GroupState
  private var counts = Counts()
  private var nextTurn: Int64
  private var called: Set<Int> = []
  private var callableFrom: Int64 = .min
  private var sleeper: Task<Void, Never>?

  /// - Parameters:
  ///   - evaluator: gives its samples as those of `origin`.
  ///   - firstTurn: when the first evaluation is; later ones are at multiples of the interval.
  init(
    _ state: GroupState, evaluator: GroupEvaluator, origin: SeriesOrigin, intervalMilliseconds: Int64,
    firstTurn: Int64, surroundings: Surroundings
  ) {
    self.state = state
    self.evaluator = evaluator
    self.origin = origin
    self.intervalMilliseconds = intervalMilliseconds
    self.surroundings = surroundings
    nextTurn = firstTurn
    keys = RuleStateStore.keys(of: state.group)
    // What was restored and shifted may differ from its row.
    kept = state.rules.map(\.tracker.all)
    events = state.rules.map { _ in AlertEvents() }
    shown = Lock(View(state: state))
  }

  /// The newest state.
  nonisolated var view: View { shown.withLock { $0 } }

  /// Evaluates until the task is cancelled.
  func run() async {
    while !Task.isCancelled {
      let now = surroundings.now()
      if now >= nextTurn {
        await takeTurn(now)
      } else if !called.isEmpty, now >= callableFrom {
        let places = called
        called = []
        counts.urgentIterations += 1
        await evaluate(at: now, scope: .only(places))
        callableFrom = now + Self.calledShare * (surroundings.now() - now)
      } else if let due = nextFiring, now >= due.time {
        await surroundings.refresh()
        await evaluate(at: now, scope: .only(due.places))
      } else {
        let next =
          [nextTurn, nextFiring?.time, called.isEmpty ? nil : callableFrom].compactMap { $0 }.min() ?? nextTurn
        await sleep(milliseconds: next - now)
      }
    }
  }

  /// Has these rules evaluated as soon as possible.
  func call(_ places: Set<Int>) {
    called.formUnion(places)
    sleeper?.cancel()
  }

  /// The clock was set, and nothing is evaluated meanwhile.
  func shift(byMilliseconds distance: Int64) async {
    state.shift(byMilliseconds: distance)
    nextTurn += distance
    callableFrom = .min
    await keep(at: surroundings.now())
    show()
  }

  /// There were no samples for so long at the start.
  func extendHold(byMilliseconds distance: Int64) {
    for index in state.rules.indices { state.rules[index].tracker.extendHold(byMilliseconds: distance) }
    show()
  }

  /// Takes up alerts of the last run that could not be read before. What has started over meanwhile stays as it is.
  ///
  /// - Parameters:
  ///   - alerts: as they are kept, by rule.
  ///   - holdUntil: of a rule; see ``AlertTracker/restore(_:holdingUntilMilliseconds:)``.
  /// - Returns: how many were taken up.
  func restore(_ alerts: [String: [Alert]], holdingUntilMilliseconds holdUntil: @Sendable (Rule) -> Int64) -> Int {
    var count = 0
    for (index, rule) in state.group.rules.enumerated() {
      let known = Set(state.rules[index].tracker.all.map(\.labels))
      let late = (alerts[keys[index]] ?? []).filter { !known.contains($0.labels) }
      guard !late.isEmpty else { continue }
      state.rules[index].tracker.restore(late, holdingUntilMilliseconds: holdUntil(rule))
      kept[index] += late
      count += late.count
    }
    show()
    return count
  }

  private func takeTurn(_ now: Int64) async {
    let late = (now - nextTurn) / intervalMilliseconds
    counts.missedIterations += Int(late)
    let turn = nextTurn + late * intervalMilliseconds
    nextTurn = (turn / intervalMilliseconds + 1) * intervalMilliseconds
    await surroundings.refresh()
    let began = ContinuousClock.now
    // An evaluation out of turn may have come between: samples of its time cannot be followed by older ones.
    let time = max(turn, (state.lastSampleMilliseconds ?? .min) + 1)
    called = []
    counts.iterations += 1
    await evaluate(at: time, scope: .all)
    state.lastEvaluationMilliseconds = time
    state.evaluationSeconds = (ContinuousClock.now - began).seconds
    if state.evaluationSeconds * 1000 > Double(intervalMilliseconds) { counts.slowIterations += 1 }
    show()
  }

  private func evaluate(at time: Int64, scope: GroupEvaluator.Scope) async {
    surroundings.observer?.evaluation(state.group, time, scope.places(in: state.group))
    let before = state.rules.map(\.tracker)
    evaluator.evaluate(&state, atMilliseconds: time, scope: scope)
    let changes = zip(state.rules, before).flatMap { AlertChange.changes(to: $0.tracker, from: $1) }
    state.lastSampleMilliseconds = time
    for (index, rule) in state.group.rules.enumerated() where scope.includes(rule, at: index) {
      counts.evaluations += 1
      if state.rules[index].health == .bad { counts.failures += 1 }
    }
    await keep(at: time)
    if !changes.isEmpty { surroundings.alertsChanged(changes) }
    for (index, rule) in state.group.rules.enumerated() {
      guard case .alerting(let rule) = rule else { continue }
      let notices = state.rules[index].tracker.takeNotices(
        atMilliseconds: time, intervalMilliseconds: intervalMilliseconds,
        resendDelayMilliseconds: surroundings.resendDelayMilliseconds)
      if !notices.isEmpty { surroundings.deliver(notices, rule.query.description) }
    }
    show()
  }

  /// Writes down what has changed, and waits until it is in the file.
  private func keep(at time: Int64) async {
    guard let stateStore = surroundings.stateStore else { return }
    var hasChanged = false
    for index in state.rules.indices {
      let now = state.rules[index].tracker.all
      if now.isEmpty, kept[index].isEmpty { continue }
      let news = events[index].events(of: now, instead: kept[index], atMilliseconds: time)
      if stateStore.keep(now, instead: kept[index], of: keys[index], events: news) { hasChanged = true }
      kept[index] = now
    }
    // What cannot be written stays in memory, and the store says so; the alert must go out all the same.
    if hasChanged { await stateStore.store.flush() }
  }

  private func show() {
    shown.withLock { $0 = View(state: state, counts: counts) }
  }

  /// When the next pending alerts are to fire, and whose they are.
  private var nextFiring: (time: Int64, places: Set<Int>)? {
    var next: (time: Int64, places: Set<Int>)?
    for (index, rule) in state.group.rules.enumerated() {
      guard case .alerting(let rule) = rule,
        let time = state.rules[index].tracker.nextFiringMilliseconds(evaluator.timing(of: rule)),
        // A rule whose evaluation just failed waits for its turn.
        time > state.lastSampleMilliseconds ?? .min
      else { continue }
      if next == nil || time < next!.time {
        next = (time, [index])
      } else if time == next!.time {
        next!.places.insert(index)
      }
    }
    return next
  }

  private func sleep(milliseconds: Int64) async {
    let sleeper = Task(executorPreference: WorkExecutor.rules) {
      _ = try? await Task.sleep(for: .milliseconds(max(1, milliseconds)))
    }
    self.sleeper = sleeper
    await withTaskCancellationHandler {
      await sleeper.value
    } onCancel: {
      sleeper.cancel()
    }
    self.sleeper = nil
  }
}
