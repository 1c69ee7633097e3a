import Redis
import Runtime

/// The members of one workload over time: who is there, who is missing, who is only remembered.
///
/// A member that vanishes stays, as missing, for as long as it is expected. Once as many as are expected are present
/// without it, it is a ghost, and after a bounded time it is dropped. Sentinels remember dead replicas for ever: a dropped
/// member comes back only when somebody finds it up.
public struct Roster: Sendable {
  public enum State: Sendable, Equatable {
    /// It answers, or the topology finds it up.
    case present
    case missing(since: Monotonic)
    /// The expected members are met elsewhere.
    case ghost(since: Monotonic)

    /// Label values of the states; each is a series of its own.
    public static let names = ["present", "missing", "ghost"]
    public var name: String {
      switch self {
      case .present: "present"
      case .missing: "missing"
      case .ghost: "ghost"
      }
    }
  }

  /// A member as the topology lists it now.
  public struct Listing: Sendable, Equatable {
    public let address: NodeAddress
    /// Whether Sentinels or the cluster find it up; nil where nobody but its own answer tells.
    public let isUp: Bool?
    /// Whether its newest poll was answered; nil while it was not polled.
    public let answers: Bool?

    public init(_ address: NodeAddress, isUp: Bool?, answers: Bool?) {
      self.address = address
      self.isUp = isUp
      self.answers = answers
    }

    /// Its own answer is better evidence than what others say of it.
    var isPresent: Bool { answers ?? isUp ?? true }
  }

  public enum Change: Sendable, Equatable {
    /// Start to poll it.
    case arrived(NodeAddress)
    case went(NodeAddress)
    case returned(NodeAddress)
    case becameGhost(NodeAddress)
    /// Stop polling it and drop its series.
    case dropped(NodeAddress)
  }

  public struct Options: Sendable, Equatable {
    /// How long a ghost is kept that the topology still lists.
    public var ghostSeconds = 600.0
    /// The same for one that nobody lists any more while as many as expected are there: it was removed for good.
    public var unlistedGhostSeconds = 5.0
    /// Members beyond these are not taken in.
    public var memberLimit = 10_000

    public init() {}
  }

  public let options: Options
  public private(set) var members: [NodeAddress: State] = [:]
  /// Dropped, and still listed as down.
  private var dropped: Set<NodeAddress> = []

  public init(_ options: Options = Options()) { self.options = options }

  /// - Parameters:
  ///   - listings: every member that the topology lists. An empty list is taken for a topology that cannot be read: it
  ///     removes nobody.
  ///   - expectedCount: members that there should be; nil where that is not configured. A member that is no longer listed
  ///     is then a ghost at once, and one that is listed is expected.
  public mutating func update(_ listings: [Listing], expectedCount: Int?, at now: Monotonic) -> [Change] {
    let listed = Dictionary(listings.map { ($0.address, $0) }, uniquingKeysWith: { first, _ in first })
    var changes: [Change] = []
    if !listed.isEmpty { dropped.formIntersection(listed.keys) }
    for listing in listed.values.sorted(by: { $0.address < $1.address }) {
      if let change = takeIn(listing, now) { changes.append(change) }
    }
    for (address, state) in members where state == .present && listed[address] == nil && !listed.isEmpty {
      members[address] = .missing(since: now)
      changes.append(.went(address))
    }
    let isMet = expectedCount.map { expected in members.values.count { $0 == .present } >= expected }
    for (address, state) in members.sorted(by: { $0.key < $1.key }) {
      let isUnlisted = listed[address] == nil && !listed.isEmpty
      switch state {
      case .present: break
      case .missing:
        let isGhost = isMet ?? isUnlisted
        guard isGhost else { continue }
        members[address] = .ghost(since: now)
        changes.append(.becameGhost(address))
      case .ghost(let since):
        if isMet == false {
          // Another member has gone since: this one may be the one to come back.
          members[address] = .missing(since: since)
          changes.append(.went(address))
        } else if now - since >= (isMet == true && isUnlisted ? options.unlistedGhostSeconds : options.ghostSeconds) {
          members[address] = nil
          if listed[address] != nil { dropped.insert(address) }
          changes.append(.dropped(address))
        }
      }
    }
    return changes
  }

  /// Takes in a member that was there before a restart and that nobody lists now: it is missing until it is known to be
  /// superfluous.
  public mutating func remember(_ address: NodeAddress, at now: Monotonic) {
    guard members[address] == nil, members.count < options.memberLimit else { return }
    members[address] = .missing(since: now)
  }

  /// Takes out members at once, such as second names of others.
  public mutating func forget(_ addresses: Set<NodeAddress>) {
    for address in addresses { members[address] = nil }
  }

  private mutating func takeIn(_ listing: Listing, _ now: Monotonic) -> Change? {
    let address = listing.address
    switch (members[address], listing.isPresent) {
    case (nil, true):
      guard members.count < options.memberLimit else { return nil }
      dropped.remove(address)
      members[address] = .present
      return .arrived(address)
    case (nil, false):
      // A new member that is down is worth a poll of its own, one that was dropped is not.
      guard !dropped.contains(address), members.count < options.memberLimit else { return nil }
      members[address] = .missing(since: now)
      return .arrived(address)
    case (.present, false):
      members[address] = .missing(since: now)
      return .went(address)
    case (.missing, true), (.ghost, true):
      members[address] = .present
      return .returned(address)
    case (.present, true), (.missing, false), (.ghost, false): return nil
    }
  }
}
