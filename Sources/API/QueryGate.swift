import Runtime

/// Lets so many queries be worked on at a time as there are threads for them; further ones wait in line.
final class QueryGate: Sendable {
  /// The most that wait; further ones are refused.
  static let waitingLimit = 100

  private struct Waiting {
    let id: UInt64
    let continuation: CheckedContinuation<Outcome, Never>
  }
  private enum Outcome {
    case slot(Int)
    case timedOut
    case cancelled
  }
  private struct State {
    var free: [Int]
    var waiting: [Waiting] = []
    var nextID: UInt64 = 0
  }

  private let executors: [WorkExecutor]
  private let state: Lock<State>

  /// - Parameter executors: one for each query at a time.
  init(executors: [WorkExecutor] = WorkExecutor.queries) {
    self.executors = executors
    state = Lock(State(free: Array(executors.indices.reversed())))
  }

  /// Does the work on a thread of its own once one is free.
  ///
  /// Throws what the work throws, and an ``APIError`` when no thread is free before `deadline` or too many wait.
  func run<Result: Sendable>(
    until deadline: ContinuousClock.Instant, _ work: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    let slot = try await acquire(until: deadline)
    defer { release(slot) }
    return try await withTaskExecutorPreference(executors[slot]) { try await work() }
  }

  private func acquire(until deadline: ContinuousClock.Instant) async throws(APIError) -> Int {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    let timer = Task {
      try? await Task.sleep(until: deadline)
      if !Task.isCancelled { self.giveUp(id, .timedOut) }
    }
    defer { timer.cancel() }
    let outcome: Outcome? = await withTaskCancellationHandler {
      if state.withLock({ $0.free.isEmpty && $0.waiting.count >= Self.waitingLimit }) { return nil }
      return await withCheckedContinuation { continuation in
        let outcome = state.withLock { state -> Outcome? in
          // Checked under the lock: a cancellation from here on finds the entry.
          if Task.isCancelled { return .cancelled }
          if let slot = state.free.popLast() { return .slot(slot) }
          if deadline <= .now { return .timedOut }
          state.waiting.append(Waiting(id: id, continuation: continuation))
          return nil
        }
        if let outcome { continuation.resume(returning: outcome) }
      }
    } onCancel: {
      giveUp(id, .cancelled)
    }
    switch outcome {
    case .slot(let slot): return slot
    case .timedOut: throw APIError(.timeout, "query timed out in query queue")
    case .cancelled: throw APIError(.canceled, "query was canceled in query queue")
    case nil: throw APIError(.unavailable, "\(Self.waitingLimit) queries wait already; try again later")
    }
  }

  private func giveUp(_ id: UInt64, _ outcome: Outcome) {
    let waiting = state.withLock { state in
      state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0) }
    }
    waiting?.continuation.resume(returning: outcome)
  }

  private func release(_ slot: Int) {
    let next = state.withLock { state -> Waiting? in
      if state.waiting.isEmpty {
        state.free.append(slot)
        return nil
      }
      return state.waiting.removeFirst()
    }
    next?.continuation.resume(returning: .slot(slot))
  }
}
