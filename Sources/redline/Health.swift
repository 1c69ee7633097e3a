import NIOCore
import NIOPosix
import Runtime
import Web

/// Looks once a second at every event loop and pool, by a thread of its own, and knows which of them stands still.
///
/// The systemd watchdog and `/-/healthy` take its word, so neither ever waits for what hangs.
final class Health: Sendable {
  /// A part that must get on.
  struct Part: Sendable {
    let name: String
    /// What it does when it hangs, as the end of a sentence: `has not answered`.
    let symptom: String
    /// How long one job may take, before the part counts as standing still.
    let patience: Duration
    /// Whether another start of the process would mend it.
    let isMendedByRestart: Bool
    /// The number of what is being done; nil for nothing.
    let jobNumber: @Sendable () -> Int?
  }

  struct Standstill: Sendable, Equatable, CustomStringConvertible {
    let part: String
    let symptom: String
    let seconds: Int
    let isMendedByRestart: Bool

    var description: String { "\(part) \(symptom) for \(seconds) s" }
  }

  static let interval: Duration = .seconds(1)

  /// How often a job was met, each time after an interval, so that a process that was halted as a whole judges nobody.
  private struct Sighting {
    var jobNumber: Int?
    var seconds = 0
  }

  private let parts: [Part]
  private let found = Lock([Standstill]())

  init(_ parts: [Part]) { self.parts = parts }

  /// All parts of the daemon.
  convenience init(loops: MultiThreadedEventLoopGroup) {
    var parts: [Part] = []
    for (index, loop) in loops.makeIterator().enumerated() {
      let echo = Echo { answer in loop.execute(answer) }
      parts.append(.answering("event loop \(index + 1)", echo))
    }
    parts.append(.answering("the default pool", Echo { answer in Task.detached { answer() } }))
    parts += [
      .working("compute", WorkExecutor.compute, patience: .seconds(30)),
      .working("rules", WorkExecutor.rules, patience: .seconds(60)),
      .working("files", WorkExecutor.files, patience: .seconds(60), isMendedByRestart: false),
    ]
    parts += WorkExecutor.queries.map { .working($0.name, $0, patience: .seconds(60)) }
    self.init(parts)
  }

  /// Begins to look; it ends with the process.
  func start() {
    _ = startThread(named: "health") {
      var sightings = [Sighting](repeating: Sighting(), count: self.parts.count)
      while true {
        self.look(&sightings)
        pause(Self.interval)
      }
    }
  }

  /// What stands still, as of at most a second ago.
  var standstills: [Standstill] { found.withLock { $0 } }

  /// Whether nothing stands still that another start would mend.
  var isAlive: Bool { !standstills.contains(where: \.isMendedByRestart) }

  private func look(_ sightings: inout [Sighting]) {
    var all: [Standstill] = []
    for (index, part) in parts.enumerated() {
      let number = part.jobNumber()
      if number != nil, number == sightings[index].jobNumber {
        sightings[index].seconds += 1
      } else {
        sightings[index] = Sighting(jobNumber: number)
      }
      let seconds = sightings[index].seconds
      guard .seconds(seconds) >= part.patience else { continue }
      all.append(
        Standstill(
          part: part.name, symptom: part.symptom, seconds: seconds, isMendedByRestart: part.isMendedByRestart))
    }
    found.withLock { $0 = all }
  }
}

extension Health.Part {
  /// A part that is to answer at once whatever it does.
  fileprivate static func answering(_ name: String, _ echo: Echo) -> Self {
    Self(
      name: name, symptom: "has not answered", patience: .seconds(5), isMendedByRestart: true,
      jobNumber: { echo.call() })
  }

  /// A part that may be busy: it gets on while it takes up one job after another.
  fileprivate static func working(
    _ name: String, _ executor: WorkExecutor, patience: Duration, isMendedByRestart: Bool = true
  ) -> Self {
    Self(
      name: "the thread \(name)", symptom: "has been at one job", patience: patience,
      isMendedByRestart: isMendedByRestart, jobNumber: { executor.jobNumber })
  }
}

/// Calls a part, and calls again once it has answered.
private final class Echo: Sendable {
  private struct State {
    var callCount = 0
    var answerCount = 0
  }
  private struct Sender: Sendable {
    let send: @Sendable (@escaping @Sendable () -> Void) -> Void
  }
  private let state = Lock(State())
  private let sender: Sender

  init(_ send: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void) { sender = Sender(send: send) }

  /// - Returns: the number of the call that waits for its answer.
  func call() -> Int {
    let (number, isNew) = state.withLock { state -> (Int, Bool) in
      guard state.callCount == state.answerCount else { return (state.callCount, false) }
      state.callCount += 1
      return (state.callCount, true)
    }
    if isNew { sender.send { self.state.withLock { $0.answerCount += 1 } } }
    return number
  }
}

extension Health {
  /// Answers `/-/healthy` and `/health`, without waiting for any other part.
  ///
  /// What no restart mends is named and does not count: a process that is killed for a slow disk would watch nothing.
  ///
  /// - Parameter complaints: what is wrong elsewhere and no restart mends.
  func response(_ complaints: [String] = []) -> Response {
    let all =
      standstills.map { (text: $0.description, isMendedByRestart: $0.isMendedByRestart) }
      + complaints.map { (text: $0, isMendedByRestart: false) }
    let harmful = all.filter(\.isMendedByRestart)
    guard harmful.isEmpty else {
      return .text("unhealthy: " + all.map(\.text).joined(separator: "; ") + "\n", status: 503)
    }
    return .text(all.isEmpty ? "ok" : "ok, but " + all.map(\.text).joined(separator: "; ") + "\n")
  }
}
