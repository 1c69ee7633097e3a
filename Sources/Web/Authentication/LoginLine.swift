/// Logins that wait for their password to be checked.
///
/// A guess takes as long to check as the right password, so a flood of guesses takes all the time there is for checks. What
/// comes next is drawn, then: first a client, so that many guesses from one address weigh as much as one login from
/// another, half of the draws among clients that have logged in before; then a user; then a login.
struct LoginLine {
  /// The most logins that wait, and of one client. One more takes the place of one that is drawn.
  static let limit = 512
  static let clientLimit = 64

  /// One login that waits.
  struct Entry: Equatable {
    let id: UInt64
    let client: String
    /// A number that stands for the user, known or not, so that the wait does not tell who exists.
    let user: Int
  }

  private(set) var entries: [Entry] = []

  /// - Returns: the login that had to go for it.
  mutating func join(_ entry: Entry, using generator: inout some RandomNumberGenerator) -> UInt64? {
    entries.append(entry)
    let counts = entries.reduce(into: [:]) { $0[$1.client, default: 0] += 1 }
    if counts[entry.client] ?? 0 > Self.clientLimit {
      return draw(from: [entry.client], using: &generator)
    }
    guard entries.count > Self.limit, let fullest = counts.max(by: { $0.value < $1.value })?.key else { return nil }
    return draw(from: [fullest], using: &generator)
  }

  /// - Returns: whether it was there.
  mutating func leave(_ id: UInt64) -> Bool {
    guard let index = entries.firstIndex(where: { $0.id == id }) else { return false }
    entries.remove(at: index)
    return true
  }

  /// Takes out the login that is next.
  mutating func next(knowing familiar: Set<String>, using generator: inout some RandomNumberGenerator) -> UInt64? {
    let clients = Set(entries.map(\.client))
    let known = clients.intersection(familiar)
    return draw(from: known.isEmpty || Bool.random(using: &generator) ? clients : known, using: &generator)
  }

  private mutating func draw(from clients: Set<String>, using generator: inout some RandomNumberGenerator) -> UInt64? {
    let client = clients.randomElement(using: &generator)
    let ofClient = entries.indices.filter { entries[$0].client == client }
    let user = Set(ofClient.map { entries[$0].user }).randomElement(using: &generator)
    let ofUser = ofClient.filter { entries[$0].user == user }
    return ofUser.randomElement(using: &generator).map { entries.remove(at: $0).id }
  }
}

/// Clients that have logged in, the latest of them.
struct FamiliarClients {
  static let limit = 256
  private var latest: [String] = []
  private(set) var all: Set<String> = []

  mutating func note(_ client: String) {
    if latest.last == client { return }
    if !all.insert(client).inserted { latest.removeAll { $0 == client } }
    latest.append(client)
    if latest.count > Self.limit { all.remove(latest.removeFirst()) }
  }
}

/// How much computing time wrong passwords may cost.
///
/// Seconds of it come back at a steady share of the clock. Time is a parameter; nothing here waits.
struct AttemptBudget {
  typealias Instant = ContinuousClock.Instant

  /// Seconds that come back for every second of the clock.
  static let share = 0.3
  /// The most seconds that gather.
  static let limitSeconds = 2.0

  private var seconds = limitSeconds
  private var updated: Instant
  /// Whether a check is under way: there is one at a time.
  private(set) var isChecking = false

  init(now: Instant) { updated = now }

  /// Whether a check may start now; if so ``finish(_:failed:now:)`` ends it.
  mutating func start(now: Instant) -> Bool {
    refill(now)
    guard !isChecking, seconds > 0 else { return false }
    isChecking = true
    return true
  }

  /// Charges a check that has ended. One that succeeded is free.
  mutating func finish(_ cost: Duration, failed: Bool, now: Instant) {
    refill(now)
    isChecking = false
    if failed { seconds -= cost / .seconds(1) }
  }

  /// How long it takes until a check may start, unless one is under way: nothing when it may now.
  func wait(now: Instant) -> Duration {
    let missing = -seconds / Self.share - max(0, (now - updated) / .seconds(1))
    return .seconds(max(0, missing)) + (seconds > 0 ? .zero : .milliseconds(1))
  }

  private mutating func refill(_ now: Instant) {
    seconds = min(Self.limitSeconds, seconds + Self.share * max(0, (now - updated) / .seconds(1)))
    updated = now
  }
}
