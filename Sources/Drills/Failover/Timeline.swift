import Fleet
import Redis
import Runtime

/// What happened in a drill, in its order; bounded.
final class Timeline: Sendable {
  struct Entry: Sendable, Equatable {
    let at: Monotonic
    let text: String
  }

  private struct State {
    var entries: [Entry] = []
    var firsts: [Failover.Phase: Monotonic] = [:]
    /// Each change of the master that was heard of: when, and who is it now.
    var switches: [(at: Monotonic, to: NodeAddress)] = []
    var aborts = 0
  }
  private let state = Lock(State())
  private static let limit = 200
  /// What turns the time of the epoch into a moment.
  private let epoch = WallTime.now.seconds - Monotonic.now.seconds

  func moment(_ wall: WallTime) -> Monotonic { Monotonic(seconds: wall.seconds - epoch) }
  func wall(_ moment: Monotonic) -> WallTime { WallTime(seconds: moment.seconds + epoch) }

  func note(_ text: String, at moment: Monotonic = .now) {
    state.withLock { state in
      // Three Sentinels say the same.
      let isRepeated = state.entries.suffix(8).contains { $0.text == text }
      guard state.entries.count < Self.limit, !isRepeated else { return }
      state.entries.append(Entry(at: moment, text: text))
    }
  }

  /// A step of a failover; the first word of it counts.
  func note(_ phase: Failover.Phase, _ text: String, at moment: Monotonic) {
    let isFirst = state.withLock { state in
      guard state.firsts[phase] == nil else { return false }
      state.firsts[phase] = moment
      return true
    }
    if isFirst { note(text, at: moment) }
  }

  /// The master is another one; what is known of the same already is nothing new.
  func noteSwitch(to address: NodeAddress, _ text: String, at moment: Monotonic) {
    let isNew = state.withLock { state in
      guard state.switches.last?.to != address else { return false }
      state.switches.append((moment, address))
      return true
    }
    if isNew { note(.switched, text, at: moment) }
  }

  func noteAbort(_ text: String, at moment: Monotonic) {
    state.withLock { $0.aborts += 1 }
    note(text, at: moment)
  }

  var entries: [Entry] { state.withLock { $0.entries }.sorted { $0.at < $1.at } }
  func first(_ phase: Failover.Phase) -> Monotonic? { state.withLock { $0.firsts[phase] } }
  var switches: [(at: Monotonic, to: NodeAddress)] { state.withLock { $0.switches } }
  var abortCount: Int { state.withLock { $0.aborts } }
}

extension Timeline {
  /// Takes in what a Sentinel published.
  func note(_ message: Subscription.Message, masterName: String, name: (NodeAddress) -> String) {
    guard message.event.masterName == masterName else { return }
    let at = moment(message.time)
    switch message.event {
    case .switchMaster(_, _, let to):
      noteSwitch(to: to, "the Sentinels name \(name(to)) as the master (+switch-master)", at: at)
    case .instance(let change, let instance) where change.isAbort:
      noteAbort("the failover of \(name(instance.address)) was given up (\(change.rawValue))", at: at)
    case .instance(.subjectivelyDown, let instance) where instance.isMaster:
      note(.sdown, "a Sentinel finds \(name(instance.address)) down (+sdown)", at: at)
    case .instance(.objectivelyDown, let instance) where instance.isMaster:
      note(.odown, "a quorum finds \(name(instance.address)) down (+odown)", at: at)
    case .instance(.convertToReplica, let instance):
      note("\(name(instance.address)) is made a replica (+convert-to-slave)", at: at)
    case .instance(let change, let instance):
      guard let phase = Failover.Phase(change) else { return }
      guard phase != .sdown, phase != .odown else { return }
      note(phase, "\(change.rawValue) \(name(instance.address))", at: at)
    default: break
    }
  }
}
