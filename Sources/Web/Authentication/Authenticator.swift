import Config
import Runtime

/// Judges requests by their Authorization header, for one set of users.
///
/// What has been found out about a user and password is kept, as a salted digest, until a reload makes another
/// authenticator. Checks of bcrypt hashes run on the compute thread, one at a time and within a budget; while that is used
/// up, logins wait in a line for ``patience``.
final class Authenticator: Sendable {
  enum Verdict: Equatable {
    case admitted
    case refused
    /// Too many wrong passwords lately to check another.
    case postponed
  }

  /// The most wrong logins that are remembered.
  static let failureLimit = 1024
  /// How long a login waits for its check. Shorter than what scrapers wait for an answer.
  static let patience = Duration.seconds(5)
  /// Into how many a line of logins is parted by their users.
  private static let userLanes: UInt64 = 16

  /// What a login in line is told.
  private enum Turn {
    /// To check its password now.
    case check
    case over(Verdict)
  }
  private struct Waiting {
    let login: SaltedDigest.Value
    let continuation: CheckedContinuation<Turn, Never>
  }
  private struct State {
    var successes: Set<SaltedDigest.Value> = []
    var failures: Set<SaltedDigest.Value> = []
    var familiar = FamiliarClients()
    var budget: AttemptBudget
    var line = LoginLine()
    var waiting: [UInt64: Waiting] = [:]
    var nextID: UInt64 = 0
    var random = SystemRandomNumberGenerator()
    /// Those that leave the line, to be told once the lock is free.
    var released: [(continuation: CheckedContinuation<Turn, Never>, turn: Turn)] = []
    var isTimerSet = false

    func verdict(on login: SaltedDigest.Value) -> Verdict? {
      if successes.contains(login) { return .admitted }
      return failures.contains(login) ? .refused : nil
    }

    mutating func release(_ id: UInt64, _ turn: Turn) {
      guard let continuation = waiting.removeValue(forKey: id)?.continuation else { return }
      _ = line.leave(id)
      released.append((continuation, turn))
    }

    /// Has the next login checked when that may be; or gives the time to look again.
    mutating func advance() -> Duration? {
      guard !line.entries.isEmpty else { return nil }
      if budget.start(now: .now) {
        if let id = line.next(knowing: familiar.all, using: &random) { release(id, .check) }
        return nil
      }
      guard !budget.isChecking, !isTimerSet else { return nil }
      isTimerSet = true
      return budget.wait(now: .now)
    }
  }

  private let digest = SaltedDigest()
  private let plain: [String: SaltedDigest.Value]
  private let hashed: [String: Bcrypt]
  private let isOpen: Bool
  private let state = Lock(State(budget: AttemptBudget(now: .now)))

  init(_ users: Users) {
    var plain: [String: SaltedDigest.Value] = [:]
    var hashed: [String: Bcrypt] = [:]
    for (user, proof) in users.proofs {
      switch proof {
      case .password(let secret): plain[user] = digest(Array(secret.reveal().utf8))
      case .bcrypt(let hash): hashed[user] = hash
      }
    }
    self.plain = plain
    self.hashed = hashed
    isOpen = users.proofs.isEmpty
  }

  /// Whether logins are asked for.
  var asksForLogin: Bool { !isOpen }

  func judge(_ request: Request) async -> Verdict {
    if isOpen { return .admitted }
    guard let header = request.header("Authorization"), let credentials = BasicCredentials(header: header) else {
      return .refused
    }
    // An unknown user is checked against someone else's proof, so that the time does not tell who exists.
    if hashed.isEmpty {
      let known = plain[credentials.user]
      let matches = digest(credentials.password).equals(known ?? plain.values.first!)
      return matches && known != nil ? .admitted : .refused
    }
    return await judge(credentials, from: request.client)
  }

  private func judge(_ credentials: BasicCredentials, from client: String) async -> Verdict {
    let login = digest(Array(credentials.user.utf8) + [0] + credentials.password)
    let known = state.withLock { state -> Verdict? in
      guard let verdict = state.verdict(on: login) else { return nil }
      if verdict == .admitted { state.familiar.note(client) }
      return verdict
    }
    if let known { return known }
    switch await turn(of: login, user: credentials.user, client) {
    case .over(let verdict): return verdict
    case .check:
      // A task of its own: a client that leaves must not end a check that others wait for.
      let check = Task(executorPreference: WorkExecutor.compute) { self.check(credentials, login, from: client) }
      return await check.value
    }
  }

  /// Waits in line until the password may be checked, the verdict is known, or patience ends.
  private func turn(of login: SaltedDigest.Value, user: String, _ client: String) async -> Turn {
    let lane = Int(digest(Array(user.utf8)).number % Self.userLanes)
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    let timer = Task {
      try? await Task.sleep(for: Self.patience)
      if !Task.isCancelled { self.update { $0.release(id, .over(.postponed)) } }
    }
    defer { timer.cancel() }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        update { state in
          state.waiting[id] = Waiting(login: login, continuation: continuation)
          // Checked under the lock: a cancellation from here on finds the entry.
          if Task.isCancelled { return state.release(id, .over(.postponed)) }
          if let verdict = state.verdict(on: login) { return state.release(id, .over(verdict)) }
          let displaced = state.line.join(.init(id: id, client: client, user: lane), using: &state.random)
          if let displaced { state.release(displaced, .over(.postponed)) }
        }
      }
    } onCancel: {
      update { $0.release(id, .over(.postponed)) }
    }
  }

  /// Changes the state, lets the line move on, and tells those who leave it.
  private func update(_ change: (inout State) -> Void) {
    let (released, wait) = state.withLock { state in
      change(&state)
      let wait = state.advance()
      defer { state.released = [] }
      return (state.released, wait)
    }
    for one in released { one.continuation.resume(returning: one.turn) }
    guard let wait else { return }
    Task {
      try? await Task.sleep(for: wait)
      self.update { $0.isTimerSet = false }
    }
  }

  private func check(_ credentials: BasicCredentials, _ login: SaltedDigest.Value, from client: String) -> Verdict {
    let hash = hashed[credentials.user]
    let stand = hash ?? hashed.values.first!
    // Of computing: others that keep the processors busy take nothing from the budget.
    let began = threadSeconds()
    let matches = stand.matches(credentials.password)
    let cost = Duration.seconds(threadSeconds() - began)
    let isAdmitted = matches && hash != nil
    let verdict = isAdmitted ? Verdict.admitted : .refused
    update { state in
      state.budget.finish(cost, failed: !isAdmitted, now: .now)
      if isAdmitted {
        state.successes.insert(login)
        state.familiar.note(client)
      } else {
        if state.failures.count >= Self.failureLimit { state.failures.removeAll(keepingCapacity: true) }
        state.failures.insert(login)
      }
      // The same login may wait more than once.
      for id in state.waiting.filter({ $0.value.login == login }).keys { state.release(id, .over(verdict)) }
    }
    return verdict
  }
}

extension Authenticator.Verdict {
  /// What the client is told; nil for who is let in.
  var refusal: Response? {
    switch self {
    case .admitted: nil
    case .refused:
      .text(
        "Unauthorized\n", status: 401,
        headers: [.init(name: "WWW-Authenticate", value: "Basic realm=\"redline\", charset=\"UTF-8\"")])
    case .postponed:
      .text("Too many failed logins; try again\n", status: 429, headers: [.init(name: "Retry-After", value: "1")])
    }
  }
}
