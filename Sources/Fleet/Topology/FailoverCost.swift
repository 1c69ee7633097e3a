import Runtime

extension Failover {
  /// What a failover cost, as far as it is known.
  public struct Cost: Sendable, Equatable {
    /// From the last good answer of the old master to the first of the new one as master; 0 where the old one served until
    /// then.
    public internal(set) var outageSeconds: Double?
    /// What the old master had taken and the new one never got, in bytes of the replication stream.
    public internal(set) var lostBytes: Loss?
    /// About how many changes of keys that were, by the server's own count or the bytes of a change over the last minutes; 0
    /// only where that is exact.
    public internal(set) var lostWrites: Loss?

    public init() {}

    public init(outageSeconds: Double?, lostBytes: Loss?, lostWrites: Loss?) {
      self.outageSeconds = outageSeconds
      self.lostBytes = lostBytes
      self.lostWrites = lostWrites
    }
  }

  /// So much was lost, exactly or between bounds.
  public struct Loss: Sendable, Equatable {
    /// This much was seen to be lost.
    public let least: Int
    /// The same where it is exact, else an estimate above it; nil where nobody can say.
    public let most: Int?

    public var isExact: Bool { least == most }

    public static func exactly(_ count: Int) -> Loss { Loss(least: count, most: count) }

    /// - Returns: nil where that says nothing.
    public static func atLeast(_ least: Int) -> Loss? { least > 0 ? Loss(least: least, most: nil) : nil }

    /// - Parameter most: does not count unless it is above what was seen: nothing is exact by an estimate.
    public static func estimated(_ least: Int, _ most: Int?) -> Loss? {
      guard let most, most > least else { return atLeast(least) }
      return Loss(least: least, most: most)
    }
  }
}

extension Failover.Cost {
  /// For a sentence.
  var words: [String] {
    guard outageSeconds != nil || lostBytes != nil else { return ["what it cost is not known"] }
    let outage = outageSeconds.map { seconds in
      // A tenth of a second is as exact as probes are.
      seconds == 0 ? "the old master served until then" : "no master answered for \((seconds * 10).rounded() / 10) s"
    }
    return [outage ?? "how long no master answered is not known", lostWords]
  }

  /// What was lost, as a clause.
  public var lostWords: String {
    guard let bytes = lostBytes else { return "what was lost is not known" }
    guard bytes != .exactly(0), lostWrites != .exactly(0) else { return "no write was lost" }
    let range: String
    switch (bytes.least, bytes.most) {
    case (let least, nil): range = "at least \(least)"
    case (let least, let most?) where least == most: range = "\(most)"
    case (0, let most?): range = "at most about \(most)"
    case (let least, let most?): range = "at least \(least) and at most about \(most)"
    }
    return "\(range) bytes\(lostWrites.map { " (about \($0.span) writes)" } ?? "") were lost"
  }

  // MARK: As it is kept

  private static let (bytes, writes) = ("lost_bytes", "lost_writes")

  func write(to json: inout JSONWriter) {
    if let outageSeconds { json.field("outage_seconds", outageSeconds) }
    for (name, loss) in [(Self.bytes, lostBytes), (Self.writes, lostWrites)] {
      guard let loss else { continue }
      json.key(name)
      json.object { loss.write(to: &$0) }
    }
  }

  /// - Parameter details: those of an event.
  public init(_ details: JSONValue) {
    self.init()
    outageSeconds = details["outage_seconds"]?.number
    lostBytes = details[Self.bytes].flatMap { Failover.Loss($0) }
    lostWrites = details[Self.writes].flatMap { Failover.Loss($0) }
  }
}

extension Failover.Loss {
  fileprivate var span: String {
    guard let most else { return "\(least) or more" }
    return least == 0 || isExact ? "\(most)" : "\(least) to \(most)"
  }

  /// Its fields of an object.
  public func write(to json: inout JSONWriter) {
    json.field("least", least)
    if let most { json.field("most", most) }
  }

  fileprivate init?(_ json: JSONValue) {
    let most = json["most"]?.number.flatMap { Int(exactly: $0) }
    guard let least = json["least"]?.number.flatMap({ Int(exactly: $0) }), 0 <= least, least <= most ?? least
    else { return nil }
    self.init(least: least, most: most)
  }
}
