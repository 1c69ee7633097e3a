import Fleet
import Runtime

/// What a load test must hold, and when it ends by itself.
public struct LoadRules: Sendable, Equatable {
  /// How many times its base the load should be.
  public var factor = 1.0
  /// Of nil nothing is judged.
  public var p99Seconds: Double?
  public var memoryRatio: Double?
  public var lagSeconds: Double?
  public var areEvictionsAllowed: Bool?
  /// Commands per second of the peak that the factor is of; nil takes those before the load.
  public var peakRate: Double?

  static let errorShare = 0.05
  static let memoryLimit = 0.9
  static let p99Factor = 10.0
  /// Below it, ten times as slow is no harm.
  static let leastP99Seconds = 0.01
  static let lateSeconds = 0.005
  static let lateShare = 0.05
  static let windowSeconds = 10.0
  /// Probes and commands that a share is made of.
  static let leastProbes = 40
  static let leastCommands = 100

  public init() {}
}

/// Follows a load test. Pure: clocks are parameters.
public struct LoadCourse: Sendable {
  /// Why a load test is ended before its time.
  public enum Stop: String, Sendable, CaseIterable {
    case errors, memory, evictions, latency, lateProbes
  }

  struct Probe: Sendable {
    let at: Monotonic
    let waitSeconds: Double
  }

  public let rules: LoadRules
  /// When the load began; nil before.
  public private(set) var beganAt: Monotonic?
  private(set) var baseWaits: [Double] = []
  private(set) var probes: [Probe] = []
  private(set) var lateness: [Probe] = []
  private(set) var failedProbes = 0
  /// The first look, the one at which the load began, and those of the last seconds, by instance.
  private(set) var base: [String: LoadSample] = [:]
  private(set) var begin: [String: LoadSample] = [:]
  private(set) var recent: [String: [LoadSample]] = [:]
  private(set) var mostMemoryRatio: Double?
  private(set) var mostLagSeconds: Double?

  /// An hour of ten a second for ten servers.
  private static let probeLimit = 400_000

  public init(_ rules: LoadRules) { self.rules = rules }

  public mutating func beginLoad(at now: Monotonic) {
    beganAt = now
    begin = recent.compactMapValues(\.last)
  }

  public mutating func note(_ ended: ProbeSchedule.Ended, at now: Monotonic) {
    guard beganAt != nil else {
      if baseWaits.count < Self.probeLimit { baseWaits.append(ended.waitSeconds) }
      return
    }
    if !ended.isAnswered { failedProbes += 1 }
    if probes.count < Self.probeLimit { probes.append(Probe(at: now, waitSeconds: ended.waitSeconds)) }
  }

  /// How much later than it was due a probe was sent, by our own fault.
  public mutating func note(lateSeconds: Double, at now: Monotonic) {
    guard beganAt != nil, lateness.count < Self.probeLimit else { return }
    lateness.append(Probe(at: now, waitSeconds: lateSeconds))
  }

  public mutating func note(_ sample: LoadSample, of instance: String) {
    if base[instance] == nil { base[instance] = sample }
    recent[instance, default: []].append(sample)
    recent[instance]?.removeAll { sample.at - $0.at > LoadRules.windowSeconds }
    guard beganAt != nil else { return }
    if sample.limitBytes > 0 {
      mostMemoryRatio = max(mostMemoryRatio ?? 0, Double(sample.usedBytes) / Double(sample.limitBytes))
    }
    if let lag = sample.lagSeconds { mostLagSeconds = max(mostLagSeconds ?? 0, lag) }
  }

  // MARK: Figures

  /// The wait that 99 of 100 did not exceed; nil without any.
  static func p99(_ waits: [Double]) -> Double? {
    guard !waits.isEmpty else { return nil }
    let sorted = waits.sorted()
    return sorted[max(0, (99 * sorted.count + 99) / 100 - 1)]
  }

  public var p99Seconds: Double? { Self.p99(probes.map(\.waitSeconds)) }
  var baseP99Seconds: Double? { Self.p99(baseWaits) }

  private func sum(_ first: [String: LoadSample], _ value: (LoadSample) -> Int?) -> Int? {
    var total: Int?
    for (instance, samples) in recent {
      guard let start = first[instance], let last = samples.last, let old = value(start), let new = value(last) else {
        continue
      }
      // A server that was restarted counts from 0.
      total = (total ?? 0) + (new >= old ? new - old : new)
    }
    return total
  }

  var evictions: Int { sum(begin, \.evictions) ?? 0 }
  var refusedClients: Int { sum(begin, \.refusedClients) ?? 0 }

  /// Error replies per command since the load began, of 0 to 1; nil where it is not known.
  var errorShare: Double? { share(begin) }

  private func share(_ first: [String: LoadSample]) -> Double? {
    guard let commands = sum(first, \.commands), commands >= LoadRules.leastCommands, let errors = sum(first, \.errors)
    else {
      return nil
    }
    return min(1, Double(errors) / Double(commands))
  }

  /// Commands per second of masters between two looks.
  private func rate(_ first: [String: LoadSample], _ last: [String: LoadSample]) -> Double? {
    var total: Double?
    for (instance, end) in last where end.isMaster {
      guard let start = first[instance], end.at - start.at > 0.5, end.commands >= start.commands else { continue }
      total = (total ?? 0) + Double(end.commands - start.commands) / (end.at - start.at)
    }
    return total
  }

  /// Before the load began.
  var baseRate: Double? { rate(base, begin) }
  public var loadRate: Double? { rate(begin, recent.compactMapValues(\.last)) }

  /// The largest share of time that an event loop was busy under load; nil where no server tells.
  var busyRatio: Double? {
    recent.compactMap { instance, samples -> Double? in
      guard let start = begin[instance], let end = samples.last, let old = start.busySeconds, let new = end.busySeconds,
        end.at - start.at > 0.5, new >= old
      else { return nil }
      return min(1, (new - old) / (end.at - start.at))
    }.max()
  }

  /// How many times the peak, or the load before, the load was.
  var reachedFactor: Double? {
    guard let load = loadRate, let peak = rules.peakRate ?? baseRate, peak >= 1 else { return nil }
    return load / peak
  }

  var lateShare: Double? {
    lateness.isEmpty ? nil : Double(lateness.count { $0.waitSeconds > LoadRules.lateSeconds }) / Double(lateness.count)
  }

  // MARK: The end

  /// Why the load must end now; nil while it may go on.
  public func reasonToStop(at now: Monotonic) -> Stop? {
    guard beganAt != nil else { return nil }
    func recentWaits(_ all: [Probe]) -> [Double] {
      all.reversed().prefix { now - $0.at <= LoadRules.windowSeconds }.map(\.waitSeconds)
    }
    let late = recentWaits(lateness)
    if late.count >= LoadRules.leastProbes,
      Double(late.count { $0 > LoadRules.lateSeconds }) > LoadRules.lateShare * Double(late.count)
    {
      return .lateProbes
    }
    if let share = share(recent.compactMapValues(\.first)), share >= LoadRules.errorShare { return .errors }
    if let ratio = mostMemoryRatio, ratio >= LoadRules.memoryLimit, rules.areEvictionsAllowed != true { return .memory }
    if rules.areEvictionsAllowed == false, evictions > 0 { return .evictions }
    let waits = recentWaits(probes)
    if waits.count >= LoadRules.leastProbes, let p99 = Self.p99(waits), p99 > stopP99Seconds { return .latency }
    return nil
  }

  private var stopP99Seconds: Double {
    max(LoadRules.p99Factor * (baseP99Seconds ?? 0), rules.p99Seconds ?? 0, LoadRules.leastP99Seconds)
  }
}
