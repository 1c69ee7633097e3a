import Redis
import Runtime

/// What a server says of itself in one look, as far as a load test judges it.
public struct LoadSample: Sendable, Equatable {
  public let at: Monotonic
  public let isMaster: Bool
  /// Over the server's life.
  public let commands: Int
  /// Error replies, over its life; nil before 6.2.
  public let errors: Int?
  public let evictions: Int
  public let refusedClients: Int
  public let usedBytes: Int
  /// 0 for no limit.
  public let limitBytes: Int
  /// How long its event loop, or before 7.2 its main thread, was busy, in seconds over its life; nil before 6.2.
  public let busySeconds: Double?
  /// Of the replica that is the furthest behind; nil where there is none.
  public let lagSeconds: Double?

  public init(
    at: Monotonic, isMaster: Bool = true, commands: Int, errors: Int? = 0, evictions: Int = 0, refusedClients: Int = 0,
    usedBytes: Int = 0, limitBytes: Int = 0, busySeconds: Double? = nil, lagSeconds: Double? = nil
  ) {
    self.at = at
    self.isMaster = isMaster
    self.commands = commands
    self.errors = errors
    self.evictions = evictions
    self.refusedClients = refusedClients
    self.usedBytes = usedBytes
    self.limitBytes = limitBytes
    self.busySeconds = busySeconds
    self.lagSeconds = lagSeconds
  }

  private static let replicaLimit = 1000

  init(_ info: InfoText, at: Monotonic) {
    var lag: Double?
    for index in 0..<Self.replicaLimit {
      guard let line = info["slave\(index)"] else { break }
      for pair in InfoPairs(line) where pair.key.elementsEqual("lag".utf8) {
        if let seconds = parseInteger(pair.value) { lag = max(lag ?? 0, Double(seconds)) }
      }
    }
    let mainThread = info.double("used_cpu_user_main_thread").map {
      $0 + (info.double("used_cpu_sys_main_thread") ?? 0)
    }
    self.init(
      at: at, isMaster: info.text("role") == "master", commands: info.integer("total_commands_processed") ?? 0,
      errors: info.integer("total_error_replies"), evictions: info.integer("evicted_keys") ?? 0,
      refusedClients: info.integer("rejected_connections") ?? 0, usedBytes: info.integer("used_memory") ?? 0,
      limitBytes: info.integer("maxmemory") ?? 0,
      busySeconds: info.double("eventloop_duration_sum").map { $0 / 1e6 } ?? mainThread, lagSeconds: lag)
  }
}
