import Redis
import Runtime

/// How a program ended.
public enum ChildEnd: Sendable, Equatable {
  /// As a shell has it: 126 where it may not run, 127 for a program that is not there, 128 and the signal for one that a signal ended.
  case exited(Int)
  /// It took longer than it may.
  case timedOut
  /// It still ran, and was killed with its group.
  case killed
}

/// What became of a program.
public struct ChildOutcome: Sendable, Equatable {
  public let end: ChildEnd
  /// The end of what it printed, on both outputs, as text.
  public let output: String
  /// Whether it printed more than that.
  public let isOutputCut: Bool

  public var isSuccess: Bool { end == .exited(0) }
}

extension ChildEnd: CustomStringConvertible {
  /// Behind the name of the program: `exited with 1`.
  public var description: String {
    switch self {
    case .exited(126): "may not run"
    case .exited(127): "was not found"
    case .exited(let status) where (129...192).contains(status): "was ended by signal \(status - 128)"
    case .exited(let status): "exited with \(status)"
    case .timedOut: "took too long and was killed"
    case .killed: "was killed"
    }
  }
}

/// A program while it runs.
public final class RunningChild: Sendable {
  private struct State {
    var output: [UInt8] = []
    var isOutputCut = false
    var isOutputOpen = true
    var told: [UInt8] = []
    var end: ChildEnd?
    var waiters: [CheckedContinuation<Void, Never>] = []
  }
  private struct Link { var tell: (@Sendable (_ isLast: Bool) async -> Void)? }

  private let outputLimitBytes: Int
  private let state = Lock(State())
  private let link = Lock(Link())

  init(outputLimitBytes: Int) { self.outputLimitBytes = outputLimitBytes }

  func connect(_ tell: @escaping @Sendable (_ isLast: Bool) async -> Void) { link.withLock { $0.tell = tell } }

  /// How it ended; nil while it runs.
  public var ended: ChildEnd? { state.withLock { $0.end } }

  /// What it printed so far, as ``ChildOutcome/output``.
  public var output: String { state.withLock { String(decoding: $0.output, as: UTF8.self) } }

  /// Waits until it has ended.
  public func end() async {
    await withCheckedContinuation { waiter in
      let isOver = state.withLock { state in
        if state.end == nil { state.waiters.append(waiter) }
        return state.end != nil
      }
      if isOver { waiter.resume() }
    }
  }

  /// Asks it to end (SIGTERM), and kills its group if it has not within `grace`.
  public func stop(grace: Duration) async {
    let tell = link.withLock { $0.tell }
    await tell?(false)
    let clock = ContinuousClock()
    let deadline = clock.now + grace
    while ended == nil, clock.now < deadline { try? await Task.sleep(for: .milliseconds(20)) }
    if ended == nil { await kill() }
  }

  /// Kills it with its group.
  public func kill() async {
    let tell = link.withLock { $0.tell }
    await tell?(true)
  }

  // MARK: What the shell says

  var outcome: ChildOutcome {
    state.withLock {
      ChildOutcome(
        end: $0.end ?? .killed, output: String(decoding: $0.output, as: UTF8.self), isOutputCut: $0.isOutputCut)
    }
  }

  func keep(_ bytes: [UInt8]) {
    state.withLock { state in
      state.output += bytes
      if state.output.count > outputLimitBytes {
        state.output.removeFirst(state.output.count - outputLimitBytes)
        state.isOutputCut = true
      }
    }
  }

  /// The exit status of the program, as a line of digits.
  func hear(_ bytes: [UInt8]) {
    let status = state.withLock { state -> Int? in
      state.told += bytes.prefix(16 - state.told.count)
      guard state.told.last == UInt8(ascii: "\n") else { return nil }
      return parseInteger(state.told.dropLast()[...])
    }
    if let status { settle(.exited(status)) }
  }

  func closeOutput() { state.withLock { $0.isOutputOpen = false } }

  /// The first that is known counts.
  func settle(_ end: ChildEnd) {
    let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      guard state.end == nil else { return [] }
      state.end = end
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Takes what it printed before its end, for as long as something comes within a tenth of a second, and then kills what is
  /// left of its group.
  func drain() async {
    if ended != nil {
      var seen = -1
      for _ in 0..<20 {
        let (count, isOpen) = state.withLock { ($0.output.count, $0.isOutputOpen) }
        if !isOpen { break }
        if count == seen { break }
        seen = count
        try? await Task.sleep(for: .milliseconds(50))
      }
    }
    await kill()
  }
}
