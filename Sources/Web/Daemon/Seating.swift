/// Who gives way when there are more connections than seats.
///
/// A client that is served within a moment finds a seat at any time, whatever number of others only sit there: those make
/// room, one for each newcomer, that have asked for nothing yet, then those that are idle, then those that take long to send
/// a body or to read an answer. Of these the client with the most seats gives one up, and that which it holds longest.
struct Seating {
  typealias Instant = ContinuousClock.Instant

  /// The most connections before one has to go. The library stops accepting a few later.
  let limit: Int
  /// The same of one client.
  let clientLimit: Int
  /// A body or an answer on its way is left alone for this long.
  static let transferGrace = Duration.seconds(1)

  init(_ options: ServerLimits) {
    limit = options.connectionLimit - min(16, options.connectionLimit / 8)
    clientLimit = options.perAddressLimit == 0 ? .max : min(options.perAddressLimit, limit)
  }

  /// The connection that has to go for `newcomer`, which is among the others already; nil while there are seats, and where
  /// nobody can be asked to go. Beyond its own share that is the newcomer itself, then.
  func victim(of newcomer: Connection, among connections: some Collection<Connection>, now: Instant) -> Connection? {
    let seated = connections.filter { !$0.isGivenUp }
    let ofClient = seated.filter { $0.client == newcomer.client }
    if ofClient.count > clientLimit, newcomer.client != "unix" {
      return least(ofClient, [:], but: newcomer, now) ?? newcomer
    }
    return surplus(seated, but: newcomer, now)
  }

  /// One that has to go since there are too many, although nobody comes: those that come wait for it.
  func victim(among connections: some Collection<Connection>, now: Instant) -> Connection? {
    surplus(connections.filter { !$0.isGivenUp }, but: nil, now)
  }

  private func surplus(_ seated: [Connection], but newcomer: Connection?, _ now: Instant) -> Connection? {
    guard seated.count > limit else { return nil }
    return least(seated, seated.reduce(into: [:]) { $0[$1.client, default: 0] += 1 }, but: newcomer, now)
  }

  private func least(
    _ seated: [Connection], _ seats: [String: Int], but newcomer: Connection?, _ now: Instant
  ) -> Connection? {
    var best: (connection: Connection, rank: Int, seats: Int, since: Instant)?
    for connection in seated where connection !== newcomer {
      guard let (rank, since) = connection.claim(now) else { continue }
      let count = seats[connection.client] ?? 0
      if let best, (best.rank, -best.seats, best.since) <= (rank, -count, since) { continue }
      best = (connection, rank, count, since)
    }
    return best?.connection
  }
}

extension Connection {
  /// How good a claim to its seat a connection has, from 0, and since when; nil for those that are being answered.
  fileprivate func claim(_ now: Instant) -> (rank: Int, since: Instant)? {
    switch phase {
    case .header(let since): return (0, since)
    case .idle(let since): return (1, since)
    case .response(let since):
      guard let exchange, now - since > Seating.transferGrace else { return nil }
      switch exchange.phase {
      case .receiving: return (2, since)
      case .sending: return (3, since)
      case .arriving, .starting, .waiting, .answered, .over: return nil
      }
    }
  }
}
