import Glibc

/// An error that can say why a file was not read.
public protocol FileFailure: Error {
  /// - Parameter reason: the end of a sentence that begins with the file: `cannot be read: …`.
  init(file: String, reason: String)
}

/// Reads what someone named on threads of its own, since a mount that hangs holds every thread that opens a file on it.
///
/// A name that hangs holds one thread. Until it answers, every further read of that name is refused at once.
public final class FileWork: Sendable {
  public static let shared = FileWork()

  /// How long a read may take before it counts as hanging.
  public static let patience: Duration = .seconds(2)
  static let threadLimit = 16
  /// Reads that wait for a thread; beyond it those that nobody waits for any more are forgotten.
  static let waitingLimit = 1000
  /// Names whose last reading is known.
  static let recordLimit = 200

  /// How a name was read.
  public struct Record: Sendable {
    /// When it was last found good, in seconds since the epoch; nil for never.
    public fileprivate(set) var lastGood: WallTime?
    public fileprivate(set) var failureCount = 0
    fileprivate var isFailing = false
  }

  /// Hears when a file that was good can be used no more, with the reason, and when it can again, with none.
  public typealias Listener = @Sendable (_ name: String, _ reason: String?) -> Void

  private struct Job: Sendable {
    let name: String
    let isWanted: @Sendable () -> Bool
    let run: @Sendable () -> Void
  }
  private struct State {
    var waiting: [Job] = []
    /// Since when each name that is being read is read.
    var begun: [String: ContinuousClock.Instant] = [:]
    var threadCount = 0
    var records: [String: Record] = [:]
    var listeners: [Listener] = []
  }
  private let state = Lock(State())

  /// For tests; files are read by the shared one.
  init() {}

  /// How each name was read, by name.
  public var records: [String: Record] { state.withLock { $0.records } }

  public func addListener(_ listener: @escaping Listener) { state.withLock { $0.listeners.append(listener) } }

  /// What `body` makes of the file `name`, and of others that belong to it.
  ///
  /// - Parameters:
  ///   - name: empty where there is no file: `body` then runs here.
  ///   - isRecorded: whether its outcome is kept by name; not for names that anyone but the user chose.
  ///   - isTold: whether listeners hear of it; not where the caller reports it anyhow.
  public func value<Value: Sendable, Failure: FileFailure>(
    of name: String, within limit: Duration = patience, isRecorded: Bool = true, isTold: Bool = true,
    _ body: @escaping @Sendable () throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    if name.isEmpty { return try body() }
    let result = await result(of: name, within: limit, body)
    guard isRecorded else { return try result.get() }
    do throws(Failure) {
      let value = try result.get()
      record(name, failure: nil, isTold: isTold)
      return value
    } catch {
      record(name, failure: "\(error)", isTold: isTold)
      throw error
    }
  }

  private func result<Value: Sendable, Failure: FileFailure>(
    of name: String, within limit: Duration, _ body: @escaping @Sendable () throws(Failure) -> Value
  ) async -> Result<Value, Failure> {
    let begun = state.withLock { $0.begun[name] }
    if let begun, .now - begun > Self.patience {
      return .failure(
        Failure(file: name, reason: "it has not answered for \((ContinuousClock.now - begun).components.seconds) s"))
    }
    let attempt = Attempt<Value, Failure>()
    enqueue(
      Job(name: name, isWanted: { attempt.isOpen }) { attempt.finish(Result { () throws(Failure) in try body() }) })
    let timer = Task {
      try? await Task.sleep(for: limit)
      attempt.finish(.failure(Failure(file: name, reason: "it did not answer within \(limit)")))
    }
    defer { timer.cancel() }
    return await attempt.result()
  }

  private func record(_ name: String, failure: String?, isTold: Bool) {
    let listeners = state.withLock { state -> [Listener] in
      guard state.records[name] != nil || state.records.count < Self.recordLimit else { return [] }
      var record = state.records[name] ?? Record()
      let isNews = record.lastGood != nil && record.isFailing != (failure != nil)
      record.isFailing = failure != nil
      if failure == nil { record.lastGood = .now } else { record.failureCount += 1 }
      state.records[name] = record
      return isNews && isTold ? state.listeners : []
    }
    for listener in listeners { listener(name, failure) }
  }

  // MARK: Threads

  private func enqueue(_ job: Job) {
    let mustStart = state.withLock { state in
      if state.waiting.count >= Self.waitingLimit { state.waiting.removeAll { !$0.isWanted() } }
      state.waiting.append(job)
      guard state.threadCount < Self.threadLimit else { return false }
      state.threadCount += 1
      return true
    }
    // Without a thread the job waits for another's, or for its deadline.
    if mustStart, !startThread(named: "user-file", { self.work() }) { state.withLock { $0.threadCount -= 1 } }
  }

  /// Does what there is to do, one job of a name at a time, and ends.
  private func work() {
    while let job = next() {
      if job.isWanted() { job.run() }
      state.withLock { $0.begun[job.name] = nil }
    }
  }

  private func next() -> Job? {
    state.withLock { state in
      guard let index = state.waiting.firstIndex(where: { state.begun[$0.name] == nil }) else {
        state.threadCount -= 1
        return nil
      }
      let job = state.waiting.remove(at: index)
      state.begun[job.name] = .now
      return job
    }
  }
}

/// One result, the first that comes, for one who waits.
private final class Attempt<Value: Sendable, Failure: Error>: Sendable {
  private struct State {
    var result: Result<Value, Failure>?
    var waiter: CheckedContinuation<Result<Value, Failure>, Never>?
  }
  private let state = Lock(State())

  var isOpen: Bool { state.withLock { $0.result == nil } }

  func finish(_ result: Result<Value, Failure>) {
    let waiter = state.withLock { state -> CheckedContinuation<Result<Value, Failure>, Never>? in
      guard state.result == nil else { return nil }
      state.result = result
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume(returning: result)
  }

  func result() async -> Result<Value, Failure> {
    await withCheckedContinuation { waiter in
      let known = state.withLock { state -> Result<Value, Failure>? in
        if state.result == nil { state.waiter = waiter }
        return state.result
      }
      if let known { waiter.resume(returning: known) }
    }
  }
}
