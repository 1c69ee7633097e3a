import Config
import Runtime

/// Judges requests by their Authorization header, for one set of users.
///
/// What has been found out about a user and password is kept, as a salted digest, until a reload makes another
/// authenticator. Checks of bcrypt hashes run on the compute thread, within a budget.
final class Authenticator: Sendable {
  enum Verdict: Equatable {
    case admitted
    case refused
    /// Too many wrong passwords lately to check another.
    case postponed
  }

  /// The most wrong logins that are remembered.
  static let failureLimit = 1024

  private struct State {
    var successes: Set<SaltedDigest.Value> = []
    var failures: Set<SaltedDigest.Value> = []
    /// Requests that come with one login at once wait for one check.
    var checks: [SaltedDigest.Value: Task<Verdict, Never>] = [:]
    var budget: AttemptBudget
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
    return await judge(credentials, from: request.remoteAddress)
  }

  private func judge(_ credentials: BasicCredentials, from address: String) async -> Verdict {
    let login = digest(Array(credentials.user.utf8) + [0] + credentials.password)
    let check = state.withLock { state -> Outcome in
      if state.successes.contains(login) { return .known(.admitted) }
      if state.failures.contains(login) { return .known(.refused) }
      if let check = state.checks[login] { return .pending(check) }
      guard state.budget.start(from: address, now: .now) else { return .known(.postponed) }
      let check = Task(executorPreference: WorkExecutor.compute) { self.check(credentials, login, from: address) }
      state.checks[login] = check
      return .pending(check)
    }
    switch check {
    case .pending(let check): return await check.value
    case .known(let verdict): return verdict
    }
  }

  private enum Outcome {
    case known(Verdict)
    case pending(Task<Verdict, Never>)
  }

  private func check(_ credentials: BasicCredentials, _ login: SaltedDigest.Value, from address: String) -> Verdict {
    let hash = hashed[credentials.user]
    let stand = hash ?? hashed.values.first!
    var matches = false
    let cost = ContinuousClock().measure { matches = stand.matches(credentials.password) }
    let isAdmitted = matches && hash != nil
    state.withLock { state in
      state.checks[login] = nil
      state.budget.finish(cost, from: address, failed: !isAdmitted, now: .now)
      if isAdmitted {
        state.successes.insert(login)
      } else {
        if state.failures.count >= Self.failureLimit { state.failures.removeAll(keepingCapacity: true) }
        state.failures.insert(login)
      }
    }
    return isAdmitted ? .admitted : .refused
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
      .text("Too many failed logins\n", status: 429, headers: [.init(name: "Retry-After", value: "10")])
    }
  }
}
