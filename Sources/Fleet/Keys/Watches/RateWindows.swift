/// What the keys of a fixed rate limit say about its windows, over walks. Pure.
struct RateWindows: Sendable, Equatable {
  /// A key as a walk met it.
  struct Reading: Sendable, Equatable {
    let hash: UInt64
    let stamp: WindowStamp?
    /// In seconds since the epoch; nil for never.
    let expires: Double?
    let isOver: Bool
    /// The server's time.
    let now: Double
  }

  struct Counted: Sendable, Equatable {
    var window: RateWindow
    var isOver: Bool
    /// Its window has ended and is among those that are counted.
    var isCounted = false
  }

  struct WindowCount: Sendable, Equatable {
    /// Of the window, in seconds.
    var length = 0.0
    var count = 0
    var overCount = 0
  }

  /// A window counts for so long after its end, or for twice its length.
  static let rememberedSeconds = 900.0
  /// The share of keys that must be near to now for a format to be believed.
  static let believedShare = 0.9
  private static let endedLimit = 1000
  /// Keys that are remembered.
  private static let countedLimit = 20_000

  let length: Double
  let ttl: Double
  let declared: WindowFormat

  /// What the windows were taken for; nil where no format fits.
  private(set) var format: WindowFormat?
  /// Keys whose count is forgotten before its window ends, and those that stay too long after it; nil where the windows are
  /// not understood.
  private(set) var earlyCount: Int?
  private(set) var lateCount: Int?
  /// By hash of the name.
  private var counted: [UInt64: Counted] = [:]
  /// By the end of a window.
  private var byEnd: [Double: WindowCount] = [:]
  /// The server's time when it was last told, and the time of this process then.
  private var clock: (server: Double, own: Double)?
  private var readings: [Reading] = []
  private var wasMet = false

  init(length: Double, ttl: Double, declared: WindowFormat) {
    (self.length, self.ttl, self.declared) = (length, ttl, declared)
  }

  /// A walk that follows on this one.
  func next() -> RateWindows {
    var next = self
    next.readings = []
    (next.earlyCount, next.lateCount) = (nil, nil)
    return next
  }

  mutating func note(_ reading: Reading) { readings.append(reading) }

  /// The walk is over: what it met is judged and given back.
  mutating func finish(at seconds: Double) {
    defer { readings = [] }
    if let now = readings.map(\.now).max() { clock = (now, seconds) }
    let now = clock.map { $0.server + seconds - $0.own } ?? -.infinity
    byEnd = byEnd.filter { now - $0.key <= max(Self.rememberedSeconds, 2 * $0.value.length) }
    wasMet = !readings.isEmpty
    if declared != .auto { format = declared } else if wasMet { format = Self.format(of: readings, length: length) }
    guard let format else {
      counted = [:]
      return
    }
    var (early, late) = (0, 0)
    var met: [UInt64: Counted] = [:]
    for reading in readings {
      guard let window = reading.stamp.flatMap({ format.window($0, length: length) }) else { continue }
      if let expires = reading.expires {
        if expires < window.end - window.tolerance { early += 1 }
        if expires > window.end + ttl + window.tolerance { late += 1 }
      }
      var one = counted.removeValue(forKey: reading.hash) ?? Counted(window: window, isOver: false)
      one.isOver = one.isOver || reading.isOver
      if window.end <= reading.now { end(&one) }
      met[reading.hash] = one
    }
    (earlyCount, lateCount) = (early, late)
    // Those that are gone count with what was last seen of them, once their window has ended.
    for (hash, one) in counted where !one.isCounted {
      var one = one
      if one.window.end <= now { end(&one) } else if met.count < Self.countedLimit { met[hash] = one }
    }
    counted = met
  }

  private mutating func end(_ one: inout Counted) {
    guard !one.isCounted else { return }
    one.isCounted = true
    guard byEnd[one.window.end] != nil || byEnd.count < Self.endedLimit else { return }
    var count = byEnd[one.window.end] ?? WindowCount(length: one.window.length)
    count.count += 1
    if one.isOver { count.overCount += 1 }
    byEnd[one.window.end] = count
  }

  /// Whether there were keys whose windows are not understood.
  var isUnreadable: Bool { format == nil && wasMet }

  /// Clients' windows that ended lately.
  var ended: WindowCount {
    byEnd.values.reduce(into: WindowCount()) { sum, one in
      sum.count += one.count
      sum.overCount += one.overCount
    }
  }

  /// The format that puts most keys near to now; nil where that is too few.
  static func format(of readings: [Reading], length: Double) -> WindowFormat? {
    var best: (format: WindowFormat, count: Int)?
    for format in WindowFormat.allCases {
      let count = readings.count { reading in
        reading.stamp.flatMap { format.window($0, length: length) }?.isNear(reading.now) ?? false
      }
      if count > best?.count ?? 0 { best = (format, count) }
    }
    guard let best, Double(best.count) >= believedShare * Double(readings.count) else { return nil }
    return best.format
  }

  static func == (left: RateWindows, right: RateWindows) -> Bool {
    left.format == right.format && left.earlyCount == right.earlyCount && left.lateCount == right.lateCount
      && left.counted == right.counted && left.byEnd == right.byEnd
  }
}
