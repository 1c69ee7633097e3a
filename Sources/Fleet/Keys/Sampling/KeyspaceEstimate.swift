import Runtime

/// What a sample says of all keys, by prefix. Pure.
public struct KeyspaceEstimate: Sendable {
  public struct Prefix: Sendable, Equatable {
    /// Such as `session:*`; `other` for all that have no line of their own.
    public let name: String
    /// Keys of it that were looked at.
    public let seenCount: Int
    public let keys: SampledAmount
    /// nil where the server does not say when keys expire.
    public let keysWithoutTTL: SampledAmount?
    /// nil where the server does not say how large keys are.
    public let memoryBytes: SampledAmount?
    public let wave: Wave
  }

  /// Whether many keys of a prefix expire at once.
  public enum Wave: Sendable, Equatable {
    /// Too few keys that expire were looked at.
    case unknown
    case none
    case coming(Coming)
  }

  public struct Coming: Sendable, Equatable {
    /// The second, or the minute, in seconds since the epoch by the server's clock.
    public let timestampSeconds: Int64
    /// 1 or 60.
    public let spanSeconds: Int64
    public let keys: SampledAmount
    /// Of the prefix's keys that expire, those.
    public let ratio: Double
  }

  /// Share of the keys with a TTL that may expire in one second: with a tenth of jitter it is half of that.
  public static let crowdingLimit = 0.01

  /// By memory, or by keys where that is not known.
  public let prefixes: [Prefix]
  /// Keys that there are.
  public let keyTotal: Double
  /// Keys that were looked at.
  public let seenCount: Int
  public let windowCount: Int
  /// Whether every key was looked at: nothing is estimated then.
  public let areAllKeys: Bool
  /// Keys of databases where no window met any.
  public let unseenKeys: Double
  /// Large keys that the sample met and that no pass over every key has come to yet: their memory is missing.
  public let leftOutCount: Int
  /// What all prefixes hold together; nil where that is not known.
  public let memoryBytes: Double?
  /// Of the keys that expire, the share in the fullest second; nil where too few were looked at.
  public let crowdingRatio: Double?

  /// What takes the rest has this name. No template has: it would be the name of one key.
  public static let other = "other"

  public struct Options: Sendable {
    /// Prefixes that are told apart, by memory.
    public var maxPrefixes = 64
    /// How far ahead seconds are told apart.
    public var horizonSeconds: Int64 = 7200

    public init() {}
  }

  /// - Parameter now: seconds since the epoch.
  init(_ sample: SampledKeys, _ options: Options = Options(), now: Int64) {
    let keys = sample.keys.filter { !sample.spoiled.contains($0.window) }
    let totals = Self.totals(sample, keys)
    let strata = sample.strata
    let weights = strata.indices.map { totals[$0].keyCount > 0 ? strata[$0].sampledTotal / totals[$0].keyCount : 0 }
    // The heaviest prefixes, by what the sample says of them at a glance.
    let templates = sample.table.templates()
    let ofKeys = keys.map { templates[Int($0.path)] }
    let knowsMemory = !keys.isEmpty && keys.contains { $0.bytes != nil }
    let knowsLife = !keys.isEmpty && keys.contains { $0.life != .unknown }
    var heaviness: [String: Double] = [:]
    for (key, template) in zip(keys, ofKeys) {
      let weight = weights[sample.windows[Int(key.window)]]
      heaviness[template, default: 0] += weight * (knowsMemory ? key.bytes ?? 0 : 1)
    }
    for key in sample.certain { heaviness[templates[Int(key.path)], default: 0] += knowsMemory ? key.bytes : 1 }
    let ranked = heaviness.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(options.maxPrefixes).map(\.key)
    var numbers = Dictionary(uniqueKeysWithValues: ranked.enumerated().map { ($1, $0) })
    let rest = ranked.count
    for template in heaviness.keys where numbers[template] == nil { numbers[template] = rest }
    let names = ranked + (heaviness.count > rest ? [Self.other] : [])
    let prefixOf = ofKeys.map { numbers[$0] ?? rest }

    var tables = names.map { _ in PrefixSums(strata.count) }
    Self.add(keys, prefixOf, sample, totals, &tables)
    var certain = names.map { _ in WindowSum() }
    for key in sample.certain {
      let number = numbers[templates[Int(key.path)]] ?? rest
      certain[number].keys += 1
      certain[number].keysWithoutTTL += key.life == .forever ? 1 : 0
      certain[number].bytes += key.bytes
    }

    let seen = totals.reduce(0) { $0 + $1.keyCount }
    let sampled = strata.indices.filter { totals[$0].keyCount > 0 && !totals[$0].areAllKeys }
    let sampledSeen = sampled.reduce(0) { $0 + totals[$1].keyCount }
    let sampledKeys = sampled.reduce(0) { $0 + strata[$1].sampledTotal }
    let keysEach = sampledSeen > 0 ? sampledKeys / sampledSeen : 1
    let scope = Scope(strata: strata, totals: totals, keysEach: keysEach)

    var wave = ExpiryWave(now: now, horizonSeconds: options.horizonSeconds)
    var places: [[Int]] = names.map { _ in [] }
    for (place, prefix) in prefixOf.enumerated() { places[prefix].append(place) }
    prefixes = names.indices.map { number in
      wave.removeAll()
      let seconds = places[number].compactMap { Self.second(keys[$0]) }
      for second in seconds { wave.add(second) }
      let sure = certain[number]
      return Prefix(
        name: names[number], seenCount: places[number].count + Int(sure.keys),
        keys: scope.count(tables[number].keys) + sure.keys,
        keysWithoutTTL: knowsLife ? scope.count(tables[number].keysWithoutTTL) + sure.keysWithoutTTL : nil,
        memoryBytes: knowsMemory ? scope.amount(tables[number].bytes, seen: tables[number].keys) + sure.bytes : nil,
        wave: Self.wave(
          wave, keysEach, expiringCount: seconds.count, knowsLife ? places[number].count : nil))
    }.sorted {
      let (left, right) = ($0.memoryBytes ?? $0.keys, $1.memoryBytes ?? $1.keys)
      return (right.value, $0.name) < (left.value, $1.name)
    }
    memoryBytes = knowsMemory ? prefixes.reduce(0) { $0 + ($1.memoryBytes?.value ?? 0) } : nil
    keyTotal = strata.reduce(0) { $0 + $1.keyTotal }
    seenCount = Int(clamping: seen)
    windowCount = totals.reduce(0) { $0 + $1.count }
    areAllKeys = !strata.isEmpty && strata.indices.allSatisfy { totals[$0].areAllKeys || strata[$0].sampledTotal == 0 }
    unseenKeys = strata.indices.reduce(0) { $0 + (totals[$1].keyCount > 0 ? 0 : strata[$1].sampledTotal) }
    leftOutCount = sample.leftOutCount
    crowdingRatio = ExpiryCrowding.ratio(keys.compactMap(Self.second))
  }

  /// How the keys that were looked at live, by prefixes with enough of them; nil where too few were looked at to say.
  ///
  /// Prefixes count whose keys nearly all expire, or nearly all never do.
  var lives: KeyLives? {
    let known = prefixes.filter { $0.keysWithoutTTL != nil && $0.keys.value > 0 && $0.name != Self.other }
    guard seenCount >= Self.smallestMixture, !known.isEmpty else { return nil }
    func share(_ kind: (_ lastingRatio: Double) -> Bool) -> Double {
      let own = known.filter { prefix in
        Double(prefix.seenCount) >= 0.05 * Double(seenCount)
          && kind((prefix.keysWithoutTTL?.value ?? 0) / prefix.keys.value)
      }
      return Double(own.reduce(0) { $0 + $1.seenCount }) / Double(seenCount)
    }
    return KeyLives(expiringRatio: share { $0 <= 0.05 }, lastingRatio: share { $0 >= 0.95 })
  }

  private static let smallestMixture = 2000

  private static func totals(_ sample: SampledKeys, _ keys: [SampledKeys.Key]) -> [WindowTotals] {
    let counts = keyCounts(sample, keys)
    var totals = sample.strata.map { _ in WindowTotals() }
    for (window, stratum) in sample.windows.enumerated() where !sample.spoiled.contains(Int32(window)) {
      totals[stratum].add(keyCount: counts[window])
    }
    for place in totals.indices where sample.strata[place].areAllKeys && totals[place].count > 0 {
      totals[place].areAllKeys = true
    }
    return totals
  }

  private static func keyCounts(_ sample: SampledKeys, _ keys: [SampledKeys.Key]) -> [Double] {
    keys.reduce(into: [Double](repeating: 0, count: sample.windows.count)) { $0[Int($1.window)] += 1 }
  }

  /// Adds up what each window holds of each prefix.
  private static func add(
    _ keys: [SampledKeys.Key], _ prefixOf: [Int], _ sample: SampledKeys, _ totals: [WindowTotals],
    _ tables: inout [PrefixSums]
  ) {
    let counts = keyCounts(sample, keys)
    var ofWindow = [WindowSum](repeating: WindowSum(), count: tables.count)
    var touched: [Int] = []
    var start = 0
    let order = keys.indices.sorted { keys[$0].window < keys[$1].window }
    while start < order.count {
      let window = keys[order[start]].window
      var end = start
      while end < order.count, keys[order[end]].window == window {
        let (key, prefix) = (keys[order[end]], prefixOf[order[end]])
        if ofWindow[prefix].keys == 0 { touched.append(prefix) }
        ofWindow[prefix].keys += 1
        ofWindow[prefix].keysWithoutTTL += key.life == .forever ? 1 : 0
        ofWindow[prefix].bytes += key.bytes ?? 0
        end += 1
      }
      for prefix in touched {
        tables[prefix].add(ofWindow[prefix], stratum: sample.windows[Int(window)], keyCount: counts[Int(window)])
        ofWindow[prefix] = WindowSum()
      }
      touched.removeAll(keepingCapacity: true)
      start = end
    }
  }

  private static func second(_ key: SampledKeys.Key) -> Int64? {
    guard case .until(let milliseconds) = key.life else { return nil }
    return milliseconds / 1000
  }

  /// - Parameter seenCount: keys of the prefix that were looked at; nil where nobody says when they expire.
  private static func wave(
    _ bins: ExpiryWave, _ keysEach: Double, expiringCount: Int, _ seenCount: Int?
  ) -> Wave {
    // Where none of enough keys expires, no wave of the others is worth a word.
    if expiringCount == 0, let seenCount,
      seenCount >= ExpiryWave.smallestSeen || CountInterval(0).upper * keysEach < ExpiryWave.smallestKeys
    {
      return .none
    }
    for verdict in [bins.verdict(keysEach: keysEach), bins.laterVerdict(keysEach: keysEach)] {
      guard case .peak(let peak) = verdict else { continue }
      let interval = CountInterval(peak.seenCount)
      return .coming(
        Coming(
          timestampSeconds: peak.timestampSeconds, spanSeconds: peak.spanSeconds,
          keys: keysEach == 1
            ? SampledAmount(exact: Double(peak.seenCount))
            : SampledAmount(
              Double(peak.seenCount) * keysEach, lower: interval.lower * keysEach, upper: interval.upper * keysEach),
          ratio: Double(peak.seenCount) / Double(max(1, expiringCount))))
    }
    return bins.verdict(keysEach: keysEach) == .none ? .none : .unknown
  }
}

extension KeyspaceEstimate {
  /// What one window holds of one prefix.
  fileprivate struct WindowSum {
    var keys = 0.0
    var keysWithoutTTL = 0.0
    var bytes = 0.0
  }

  /// What all windows hold of one prefix, by stratum.
  fileprivate struct PrefixSums {
    var keys: [WindowSums]
    var keysWithoutTTL: [WindowSums]
    var bytes: [WindowSums]

    init(_ strata: Int) {
      keys = Array(repeating: WindowSums(), count: strata)
      (keysWithoutTTL, bytes) = (keys, keys)
    }

    mutating func add(_ window: WindowSum, stratum: Int, keyCount: Double) {
      keys[stratum].add(window.keys, keyCount: keyCount)
      keysWithoutTTL[stratum].add(window.keysWithoutTTL, keyCount: keyCount)
      bytes[stratum].add(window.bytes, keyCount: keyCount)
    }
  }

  /// What estimates rest on.
  fileprivate struct Scope {
    let strata: [SampledKeys.Stratum]
    let totals: [WindowTotals]
    let keysEach: Double

    /// Fewer than so many that were seen are too few for a normal interval.
    static let smallestSeen = 30.0

    private func sum(_ sums: [WindowSums]) -> (value: Double, variance: Double) {
      sums.indices.reduce((0, 0)) { total, place in
        let own = sums[place].estimate(keyTotal: strata[place].sampledTotal, totals[place])
        return (total.0 + own.value, total.1 + own.variance)
      }
    }

    /// How many keys are of some kind.
    func count(_ sums: [WindowSums]) -> SampledAmount {
      let (value, variance) = sum(sums)
      let sampled = sums.indices.filter { !totals[$0].areAllKeys && totals[$0].keyCount > 0 }
      guard !sampled.isEmpty else { return SampledAmount(exact: value) }
      let seen = sampled.reduce(0) { $0 + sums[$1].total }
      if seen >= Self.smallestSeen { return SampledAmount(value, variance: variance) }
      let known = sums.indices.reduce(0) { $0 + (totals[$1].areAllKeys ? sums[$1].total : 0) }
      let scale =
        seen > 0 ? (value - known) / seen : sampled.map { strata[$0].sampledTotal / totals[$0].keyCount }.max() ?? 1
      let interval = CountInterval(Int(seen))
      return SampledAmount(value, lower: known + scale * interval.lower, upper: known + scale * interval.upper)
    }

    /// How much memory keys take.
    func amount(_ sums: [WindowSums], seen counts: [WindowSums]) -> SampledAmount {
      let (value, variance) = sum(sums)
      let sampled = sums.indices.filter { !totals[$0].areAllKeys && totals[$0].keyCount > 0 }
      guard !sampled.isEmpty else { return SampledAmount(exact: value) }
      let seen = sampled.reduce(0) { $0 + counts[$1].total }
      return seen >= Self.smallestSeen
        ? SampledAmount(value, variance: variance) : SampledAmount(value, lower: nil, upper: nil)
    }
  }
}

/// How the keys of a workload live.
struct KeyLives: Sendable, Equatable {
  /// Keys of prefixes that nearly all expire, as a share of all.
  let expiringRatio: Double
  /// Keys of prefixes that nearly never do.
  let lastingRatio: Double
}
