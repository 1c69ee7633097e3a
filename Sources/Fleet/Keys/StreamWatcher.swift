import Config
import Logging
import Metrics
import NIOCore
import Redis
import Runtime

/// Reads the streams of one shard every interval, from its master: a replica knows neither how far a group has read nor
/// what its consumers do.
actor StreamWatcher {
  /// What was read of the streams of one database.
  struct Reading: Sendable {
    let database: Int
    let reports: [StreamReport]
    /// The server's clock; nil where it did not tell.
    let nowMilliseconds: Double?
  }

  private let watches: KeyWatches
  private let log: Logger
  private var place: KeyPlace?
  private var names: Set<StreamName> = []
  private var task: Task<Void, Never>?
  private var complaint: String?
  private var answeredAt = NIODeadline.now()
  private nonisolated let box = Lock<[Reading]>([])

  /// Between two looks for somebody to read.
  private static let idlePause: Duration = .milliseconds(500)
  /// What was read is dropped when nobody has answered for so long.
  private static let staleSeconds = 60.0

  init(_ watches: KeyWatches, log: Logger) {
    self.watches = watches
    self.log = log
  }

  /// The newest readings; empty where there are no streams, or nobody can be asked.
  nonisolated var newest: [Reading] { box.withLock { $0 } }

  /// Reads these streams of this member from now on; nil for none.
  func aim(at place: KeyPlace?, names: Set<StreamName>) {
    self.place = place
    self.names = names
    if task == nil { task = Task(priority: .utility) { await run() } }
  }

  func stop() {
    task?.cancel()
    place = nil
  }

  private func run() async {
    try? await Task.sleep(for: watches.interval * Double.random(in: 0..<0.2))
    while !Task.isCancelled {
      guard let place, !names.isEmpty else {
        dropStale()
        try? await Task.sleep(for: Self.idlePause)
        continue
      }
      do throws(RedisError) {
        let readings = try await read(at: place)
        // Who has become another's replica meanwhile tells nothing.
        if place === self.place {
          box.withLock { $0 = readings }
          answeredAt = .now()
        }
        complaint = nil
      } catch {
        if Task.isCancelled { return }
        place.cost.errorCount.add(1, error.errorClass.rawValue)
        complain(error, at: place)
        dropStale()
      }
      place.publish()
      let pause = watches.interval * Double.random(in: 0.9...1.1)
      if pause > .seconds(KeyWorkLimits.idleSeconds) { await place.link.close() }
      try? await Task.sleep(for: pause)
    }
  }

  private func dropStale() {
    let age = Double((NIODeadline.now() - answeredAt).nanoseconds) / 1e9
    if age > max(Self.staleSeconds, 3 * watches.interval.seconds) { box.withLock { $0 = [] } }
  }

  private func complain(_ error: RedisError, at place: KeyPlace) {
    guard complaint != error.errorClass.rawValue else { return }
    complaint = error.errorClass.rawValue
    log.warning("streams cannot be read", metadata: ["node": "\(place.address)", "error": "\(error)"])
  }

  private func read(at place: KeyPlace) async throws(RedisError) -> [Reading] {
    let reader = StreamReader(link: place.link, excludesConsumers: !watches.streams.areConsumersIncluded)
    var readings: [Reading] = []
    let wanted = names.sorted().prefix(watches.streams.maxStreams)
    for (database, names) in Dictionary(grouping: wanted, by: \.database).sorted(by: { $0.key < $1.key }) {
      for batch in chunks(names.map(\.bytes), KeyWorkLimits.batchStreams) {
        var left: [RedisError] = []
        let reading = try await reader.readApart(batch, database: database, node: nil, leaving: &left)
        for error in left { complain(error, at: place) }
        readings.append(
          Reading(database: database, reports: reading.reports, nowMilliseconds: reading.nowMilliseconds))
      }
    }
    return readings
  }
}
