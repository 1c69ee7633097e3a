import Redis

/// Whether a server soon turns clients away, by the part of INFO that a probe asks for with its PING.
///
/// The newest poll may be seconds old, and a server that has no connection left refuses them from then on. Redis before
/// 6.2 does not name its limit there, and is seen by its polls alone.
enum Crowding {
  static let command: Command = ["INFO", "CLIENTS"]
  /// The share of the limit from which on a server is crowded. Its replicas take connections as well but are not counted
  /// in that part of INFO: the rest has room for them.
  static let share = 0.9

  static func isCrowded(_ clients: InfoText) -> Bool {
    guard let connected = clients.double("connected_clients"), let limit = clients.double("maxclients"), limit > 0
    else { return false }
    // The bus of a cluster takes from the same limit.
    return connected + (clients.double("cluster_connections") ?? 0) >= share * limit
  }
}
