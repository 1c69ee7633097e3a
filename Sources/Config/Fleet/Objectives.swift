/// What a workload has to reach. Nil switches an objective off: it is not published, and no rule fires on it.
///
/// In the file each is a value or `off`; ratios are written `0.85` or `85%`.
public struct Objectives: Sendable, Equatable {
  /// Share of probes that must succeed, in (0, 1].
  public var availabilityRatio: Double?
  /// 99 of 100 probes must be answered within this time.
  public var latencyP99: Duration?
  /// Largest share of maxmemory in use, in (0, 1].
  public var memoryUsedRatio: Double?
  /// False where memory above the objective is no emergency: an evicting cache is full by design.
  public var memoryPages: Bool
  /// Smallest share of lookups that find their key, in (0, 1].
  public var hitRatio: Double?
  /// Largest replica lag allowed.
  public var replicationLag: Duration?
  /// Most that may be lost in a crash or failover, as time of writing; zero or more.
  public var rpo: Duration?
  /// Largest age of the last good RDB file.
  public var backupAge: Duration?
  /// How old checks may get that somebody, or a timer, runs. A peak does not change them.
  public var verified = VerifiedObjectives()

  /// The objectives that a mapping gives, the base's where it does not.
  init(_ fields: MappingReader?, base: Objectives) {
    self = base
    guard let fields else { return }
    availabilityRatio = fields.value(
      "availability", .ratio, or: "off", default: base.availabilityRatio, "Share of probes that must succeed.")
    latencyP99 = fields.value(
      "latency_p99", .duration(), or: "off", default: base.latencyP99,
      "Time within which 99 of 100 probes must be answered.")
    memoryUsedRatio = fields.value(
      "memory_used", .ratio, or: "off", default: base.memoryUsedRatio, "Largest share of maxmemory that may be in use.")
    memoryPages = fields.value(
      "memory_pages", .bool, default: base.memoryPages,
      "Whether memory above the objective pages someone; by default where `eviction` is not `allowed`.")
    hitRatio = fields.value(
      "hit_ratio", .ratio, or: "off", default: base.hitRatio, "Smallest share of key lookups that must find their key.")
    replicationLag = fields.value(
      "replication_lag", .duration(), or: "off", default: base.replicationLag,
      "Largest replica lag allowed.")
    rpo = fields.value(
      "rpo", .duration(.extended, .nonNegative), or: "off", default: base.rpo,
      "Longest time of writes that a crash or a failover may lose.")
    backupAge = fields.value(
      "backup_age", .duration(), or: "off", default: base.backupAge, "Largest age of the last good RDB file.")
  }

  init(
    availability: Double? = 0.999, latencyP99: Duration? = .milliseconds(10), memoryUsed: Double? = 0.85,
    memoryPages: Bool = true, hitRatio: Double? = nil, replicationLag: Duration? = .seconds(10), rpo: Duration? = nil,
    backupAge: Duration? = nil
  ) {
    availabilityRatio = availability
    self.latencyP99 = latencyP99
    memoryUsedRatio = memoryUsed
    self.memoryPages = memoryPages
    self.hitRatio = hitRatio
    self.replicationLag = replicationLag
    self.rpo = rpo
    self.backupAge = backupAge
  }

  /// These objectives for a peak event: memory 80 %, p99 5 ms, hit ratio 85 %, each where the objective is on and not
  /// stricter already.
  var tightenedForPeak: Objectives {
    var tightened = self
    tightened.memoryUsedRatio = memoryUsedRatio.map { min($0, 0.8) }
    tightened.latencyP99 = latencyP99.map { min($0, .milliseconds(5)) }
    tightened.hitRatio = hitRatio.map { max($0, 0.85) }
    return tightened
  }
}

extension ScalarType<Double> {
  /// A share in (0, 1], written `0.85` or `85%`.
  static var ratio: ScalarType {
    ScalarType(placeholder: 1, name: "share", range: "more than 0, up to 1 or 100%") { text throws(Mismatch) in
      let isPercent = text.hasSuffix("%")
      guard let number = Double(isPercent ? String(text.dropLast()) : text), number.isFinite else {
        throw Mismatch("is not a share", hint: "write it like 0.85 or 85%")
      }
      // Division alone would make 99.9 % slightly more than 0.999.
      let value = isPercent ? (number * 1e10).rounded() / 1e12 : number
      guard value > 0, value <= 1 else { throw Mismatch("is out of range", hint: "use more than 0, up to 1 or 100%") }
      return value
    }
  }
}
