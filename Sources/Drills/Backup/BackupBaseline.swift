import Runtime

/// What a backup is compared with. What is nil is not known, and then nothing is compared.
public struct BackupBaseline: Sendable, Equatable {
  /// The fewest and the most keys that each database had around the time of the file, as the daemon saw it.
  public var history: [Int: ClosedRange<Double>]?
  /// When the master had reached the file's offset, as the daemon saw it.
  public var offsetReachedAt: WallTime?
  /// The servers that answer now; empty where none does.
  public var servers: [LiveServer] = []
  /// Whether the workload has several masters; a file is of one alone.
  public var isSharded = false
  public var last: LastBackup?

  public init() {}

  /// The server whose history of writes the file belongs to.
  public func origin(of header: RDBHeader?) -> LiveServer? {
    guard let id = header?.replicationID else { return nil }
    let fitting = servers.filter { $0.replicationIDs.contains(id) }
    return fitting.first(where: \.isMaster) ?? fitting.first
  }
}

/// What a daemon saw of a master's offset in its stream of writes, in the order of time.
public struct OffsetPoints: Sendable, Equatable {
  public struct Point: Sendable, Equatable {
    public let at: WallTime
    public let offset: Double

    public init(at: WallTime, offset: Double) { (self.at, self.offset) = (at, offset) }
  }

  public let points: [Point]

  public init(_ points: [Point]) { self.points = points }

  /// The last moment at which a file of that offset was known to hold every write.
  ///
  /// - Returns: `now` where nothing was written since; nil where the moment is not among the points.
  public func lastCurrent(_ offset: Int, now: WallTime) -> WallTime? {
    guard let passed = points.firstIndex(where: { $0.offset > Double(offset) }) else {
      return points.last.map { $0.offset == Double(offset) } == true ? now : nil
    }
    return passed == points.startIndex ? nil : points[passed - 1].at
  }
}
