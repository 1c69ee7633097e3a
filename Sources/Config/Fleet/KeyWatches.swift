/// Keys of known patterns that show trouble, found by SCAN MATCH within the budget for key work.
public struct KeyWatches: Sendable, Equatable {
  /// Locks that never expire are deadlocks.
  public struct Locks: Sendable, Equatable {
    public let isOn: Bool
    public let patterns: [KeyPattern]
    /// Matching keys looked at in one walk over a shard.
    public let maxKeys: Int
  }

  /// Counters of failures by service.
  public struct Circuits: Sendable, Equatable {
    public let isOn: Bool
    /// Each holds one `*`, which stands for the service.
    public let patterns: [KeyPattern]
    /// Failures from which a circuit counts as open.
    public let threshold: Int
    /// Services that get a series each.
    public let maxServices: Int

    /// The service that a key belongs to, by the first pattern with its shape; nil for a key of another shape.
    ///
    /// - Parameter database: nil for a cluster, which has only one, whatever a pattern says.
    public func service(ofKey key: [UInt8], database: Int?) -> String? {
      for pattern in patterns where database.map({ pattern.database == $0 }) ?? true {
        guard let star = pattern.bytes.firstIndex(of: UInt8(ascii: "*")) else { continue }
        let (before, after) = (pattern.bytes[..<star], pattern.bytes[(star + 1)...])
        if key.count > before.count + after.count, key.starts(with: before), key.suffix(after.count) == after {
          return String(decoding: key[before.count..<(key.count - after.count)], as: UTF8.self)
        }
      }
      return nil
    }
  }

  /// Streams with their groups.
  public struct Streams: Sendable, Equatable {
    public let isOn: Bool
    /// Names or globs.
    public let patterns: [KeyPattern]
    /// Streams that get series.
    public let maxStreams: Int
    /// Whether each consumer gets series of its own.
    public let areConsumersIncluded: Bool
  }

  /// From the start of a walk to the start of the next; one that takes longer is followed by the next at once.
  public let interval: Duration
  public let locks: Locks
  public let circuits: Circuits
  public let streams: Streams

  public var areAllOff: Bool { !locks.isOn && !circuits.isOn && !streams.isOn }

  init(_ fields: MappingReader?, kind: WorkloadKind) {
    interval =
      fields?.value(
        "interval", .duration(.extended, .atLeast(.seconds(1))), default: Self.defaultInterval,
        "From the start of a walk over the keys to the start of the next.")
      ?? Self.defaultInterval
    locks = fields?.mapping("locks", "Locks that never expire.") { Locks($0) } ?? Locks(nil)
    circuits = fields?.mapping("circuits", "Counters of failures by service.") { Circuits($0) } ?? Circuits(nil)
    streams =
      fields?.mapping("streams", "Streams with their groups.") { Streams($0, kind: kind) } ?? Streams(nil, kind: kind)
  }

  private static let defaultInterval: Duration = .seconds(15)
}

extension KeyWatches.Locks {
  init(_ fields: MappingReader?) {
    isOn = fields?.value("enabled", .bool, default: true, "Whether it is on.") ?? true
    let given = fields?.list("patterns", of: .keyPattern, "Keys that are locks.", shown: "lock:*") ?? []
    patterns = given.isEmpty ? [KeyPattern(database: 0, bytes: Array("lock:*".utf8))] : given
    maxKeys =
      fields?.value("max_keys", .int(1...1_000_000), default: 10_000, "Matching keys looked at in a walk.") ?? 10_000
  }
}

extension KeyWatches.Circuits {
  init(_ fields: MappingReader?) {
    isOn = fields?.value("enabled", .bool, default: true, "Whether it is on.") ?? true
    let given =
      fields?.list(
        "patterns", of: .keyPattern, "Counters; exactly one `*` in each stands for the service.",
        shown: "circuit:*:failures") ?? []
    patterns = given.isEmpty ? [KeyPattern(database: 0, bytes: Array("circuit:*:failures".utf8))] : given
    threshold =
      fields?.value("threshold", .int(1...1_000_000), default: 5, "Failures from which a circuit counts as open.") ?? 5
    maxServices =
      fields?.value("max_services", .int(1...10_000), default: 100, "Services that get a series each.") ?? 100
    for pattern in given where pattern.bytes.filter({ "*?[]\\".utf8.contains($0) }) != [UInt8(ascii: "*")] {
      fields?.report(
        "patterns", value: pattern.text, problem: "does not name the service",
        hint: "use exactly one *, as in circuit:*:failures")
    }
  }
}

extension KeyWatches.Streams {
  /// On where patterns are given, and for queues, which are made of streams.
  init(_ fields: MappingReader?, kind: WorkloadKind) {
    let given = fields?.list("patterns", of: .keyPattern, "Names or globs of streams.", shown: "*") ?? []
    let brought = kind == .queue || !given.isEmpty
    isOn =
      fields?.value("enabled", .bool, default: brought, "Whether it is on; given patterns switch it on.") ?? brought
    patterns = given.isEmpty ? [KeyPattern(database: 0, bytes: [UInt8(ascii: "*")])] : given
    maxStreams = fields?.value("max_streams", .int(1...1000), default: 100, "Streams that get series.") ?? 100
    areConsumersIncluded =
      fields?.value("consumers", .bool, default: false, "Whether each consumer gets series of its own.") ?? false
  }
}

extension ScalarType<KeyPattern> {
  /// One pattern as the check-keys flags write it: `lock:*`, `db3=lock:*`.
  static var keyPattern: ScalarType {
    ScalarType(placeholder: KeyPattern(database: 0, bytes: [UInt8(ascii: "*")]), name: "key pattern") {
      text throws(Mismatch) in
      let patterns = try KeyPattern.list(text)
      guard patterns.count == 1, !text.contains(",") else {
        throw Mismatch("is not one pattern", hint: "write one a line, with %2C for a comma in a key")
      }
      return patterns[0]
    }
  }
}

extension KeyPattern {
  /// The pattern as `list` reads it.
  var listText: String {
    let plain = Set("*?[]^{}:_-./!|abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".utf8)
    let digits = Array("0123456789ABCDEF".utf8)
    var text: [UInt8] = database == 0 ? [] : Array("db\(database)=".utf8)
    for byte in bytes {
      text += plain.contains(byte) ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
    return String(decoding: text, as: UTF8.self)
  }
}
