import Runtime

/// When keys expire, second by second: whether many do at once. Pure.
///
/// One such table serves prefix after prefix: it takes 40 KB for two hours in seconds and two days in minutes.
struct ExpiryWave: Sendable {
  /// Keys that expire in the same second, or in the same minute further ahead.
  public struct Peak: Sendable, Equatable {
    /// When it begins, in whole seconds since the epoch.
    public let timestampSeconds: Int64
    /// How long it lasts at most: 1 or 60.
    public let spanSeconds: Int64
    /// Keys that were looked at.
    public let seenCount: Int
  }

  enum Verdict: Sendable, Equatable {
    /// Too few keys were looked at that expire.
    case unknown
    case none
    case peak(Peak)
  }

  /// So many bins are tried that a few exceed what 1.96 leaves out.
  static let z = 4.5
  /// How much more than the others the fullest second must hold.
  static let factor = 3.0
  /// So few bins with keys are a wave by themselves.
  static let fewBins = 10
  static let smallestKeys = 2000.0
  static let smallestSeen = 200
  /// How far minutes are told apart.
  static let farSeconds: Int64 = 48 * 3600
  static let horizons: ClosedRange<Int64> = 60...24 * 3600

  private let start: Int64
  private let horizon: Int64
  private var near: [UInt32]
  private var far: [UInt32]
  private var nearCount = 0
  private var farCount = 0

  /// - Parameters:
  ///   - now: seconds since the epoch.
  ///   - horizonSeconds: how far seconds are told apart.
  init(now: Int64, horizonSeconds: Int64) {
    start = now
    horizon = min(max(horizonSeconds, Self.horizons.lowerBound), Self.horizons.upperBound)
    near = Array(repeating: 0, count: Int(horizon))
    far = Array(repeating: 0, count: Int(clamping: (Self.farSeconds - horizon + 59) / 60))
  }

  /// - Parameter second: when a key expires, in seconds since the epoch. What is past or further than two days is left out.
  mutating func add(_ second: Int64) {
    let distance = second - start
    if 0..<horizon ~= distance {
      near[Int(distance)] += 1
      nearCount += 1
    } else if horizon..<Self.farSeconds ~= distance {
      far[Int((distance - horizon) / 60)] += 1
      farCount += 1
    }
  }

  mutating func removeAll() {
    for place in near.indices { near[place] = 0 }
    for place in far.indices { far[place] = 0 }
    (nearCount, farCount) = (0, 0)
  }

  /// Keys that were looked at and expire within the horizon.
  var seenCount: Int { nearCount }

  /// - Parameter keysEach: keys that stand behind each that was looked at.
  func verdict(keysEach: Double) -> Verdict {
    guard nearCount >= Self.smallestSeen, Double(nearCount) * keysEach >= Self.smallestKeys else { return .unknown }
    return Self.peak(near).map {
      .peak(Peak(timestampSeconds: start + Int64($0.place), spanSeconds: 1, seenCount: $0.count))
    } ?? .none
  }

  /// The same of what expires later, by the minute.
  func laterVerdict(keysEach: Double) -> Verdict {
    guard farCount >= Self.smallestSeen, Double(farCount) * keysEach >= Self.smallestKeys else { return .unknown }
    return Self.peak(far).map {
      .peak(Peak(timestampSeconds: start + horizon + 60 * Int64($0.place), spanSeconds: 60, seenCount: $0.count))
    } ?? .none
  }

  private static func peak(_ bins: [UInt32]) -> (place: Int, count: Int)? {
    let filled = bins.count { $0 > 0 }
    guard filled > 0, let place = bins.indices.max(by: { bins[$0] < bins[$1] }),
      let last = bins.lastIndex(where: { $0 > 0 })
    else { return nil }
    // Where keys expire in a few bins alone, there are no others to compare with: then it is as if they were spread until the
    // last of them.
    let spread = filled <= fewBins ? last + 1 : filled
    let mean = Double(bins.reduce(0) { $0 + Int($1) }) / Double(spread)
    let count = Int(bins[place])
    return CountInterval(count, z: z).lower > factor * mean ? (place, count) : nil
  }
}

/// How many of the keys that expire do so in the very same second, whichever prefixes they have: TTLs that are all alike bring
/// all misses at once.
enum ExpiryCrowding {
  /// Below so many nothing is said.
  static let smallestSeen = 1000

  /// - Parameter seconds: when each key that was looked at and expires does, in seconds since the epoch.
  /// - Returns: the share of them in the fullest second; nil where too few were looked at.
  static func ratio(_ seconds: [Int64]) -> Double? {
    guard seconds.count >= smallestSeen else { return nil }
    var (longest, run, last) = (0, 0, seconds[0])
    for second in seconds.sorted() {
      run = second == last ? run + 1 : 1
      last = second
      longest = max(longest, run)
    }
    return Double(longest) / Double(seconds.count)
  }
}
