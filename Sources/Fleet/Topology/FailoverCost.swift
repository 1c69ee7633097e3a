import Runtime

extension Failover {
  /// What a failover cost, as far as it is known.
  public struct Cost: Sendable, Equatable {
    /// From the last good answer of the old master to the first of the new one as master; 0 where the old one served until
    /// then.
    public internal(set) var outageSeconds: Double?
    /// What the old master had taken and the new one never got, in bytes of the replication stream; one number where that
    /// is exact.
    public internal(set) var lostBytes: ClosedRange<Int>?
    /// The same in changes of keys, by the bytes of a change over the last minutes.
    public internal(set) var lostWrites: ClosedRange<Int>?

    public init() {}
  }
}

extension Failover.Cost {
  /// What is known of it, for a sentence.
  var words: [String] {
    let outage = outageSeconds.map { seconds in
      // A tenth of a second is as exact as probes are.
      seconds == 0 ? "the old master served until then" : "no master answered for \((seconds * 10).rounded() / 10) s"
    }
    let lost = lostBytes.map { bytes in
      guard bytes.upperBound > 0 else { return "no write was lost" }
      let writes = lostWrites.map { " (\(Self.text($0)) writes)" } ?? ""
      return "\(Self.text(bytes)) bytes\(writes) were lost"
    }
    return [outage, lost].compactMap { $0 }
  }

  private static func text(_ range: ClosedRange<Int>) -> String {
    range.lowerBound == range.upperBound
      ? "\(range.lowerBound)"
      : range.lowerBound == 0 ? "up to \(range.upperBound)" : "\(range.lowerBound) to \(range.upperBound)"
  }

  // MARK: As it is kept

  private static let (bytes, writes) = ("lost_bytes", "lost_writes")

  func write(to json: inout JSONWriter) {
    if let outageSeconds { json.field("outage_seconds", outageSeconds) }
    for (name, range) in [(Self.bytes, lostBytes), (Self.writes, lostWrites)] {
      guard let range else { continue }
      json.key(name)
      json.object { json in
        json.field("least", range.lowerBound)
        json.field("most", range.upperBound)
      }
    }
  }

  /// - Parameter details: those of an event.
  public init(_ details: JSONValue) {
    self.init()
    func range(_ name: String) -> ClosedRange<Int>? {
      guard let least = details[name]?["least"]?.number.flatMap({ Int(exactly: $0) }),
        let most = details[name]?["most"]?.number.flatMap({ Int(exactly: $0) }), 0 <= least, least <= most
      else { return nil }
      return least...most
    }
    outageSeconds = details["outage_seconds"]?.number
    lostBytes = range(Self.bytes)
    lostWrites = range(Self.writes)
  }
}
