import Runtime
import Testing

@testable import Storage

@Suite(.timeLimit(.minutes(1))) struct HistoryTests {
  static let base: Int64 = 1_799_990_000_000
  static let odd = [
    0.1, -0.0, .nan, .infinity, -.infinity, Double(bitPattern: 0x7ff0_0000_0000_0002), 0, 1, -3, 1e300,
    .leastNonzeroMagnitude, 1_573_741_824, .greatestFiniteMagnitude,
  ]

  @Test func pointsComeBackToTheBitAndInOrder() async throws {
    let scratch = Scratch()
    var store = try await scratch.open()
    for (number, value) in Self.odd.enumerated() {
      store.history.append([
        HistoryPoint(labels: "b", atMs: Self.base + Int64(number) * 60_000, value: value),
        HistoryPoint(labels: #"{"a":"é"}"#, atMs: Self.base - Int64(number) * 7, value: value),
      ])
      if number % 5 == 4 { #expect(await store.history.flush()) }
    }
    await store.close()
    store = try await scratch.open()
    let series = await store.history.load(sinceMs: 0)
    #expect(series.map(\.labels) == ["b", #"{"a":"é"}"#])
    #expect(series.first?.points.map(\.value.bitPattern) == Self.odd.map(\.bitPattern))
    #expect(series.last?.points.map(\.value.bitPattern) == Self.odd.reversed().map(\.bitPattern))
    #expect(series.first?.points.map(\.atMs) == Self.odd.indices.map { Self.base + Int64($0) * 60_000 })
    #expect(series.last?.points.first?.atMs == Self.base - 84)
  }

  @Test(arguments: [false, true])
  func aSpanIsReadWithWhatIsNotWrittenYet(isUnwritten: Bool) async throws {
    let scratch = Scratch()
    let store = try await scratch.open()
    store.history.append((0..<10).map { HistoryPoint(labels: "s", atMs: Self.base + $0, value: Double($0)) })
    #expect(await store.history.flush())
    let holder = try Database(path: scratch.path, busyTimeoutMs: 100)
    if isUnwritten { try holder.execute("BEGIN IMMEDIATE") }
    // One in place of another, one late, one of another series.
    store.history.append([
      HistoryPoint(labels: "s", atMs: Self.base + 5, value: 50),
      HistoryPoint(labels: "s", atMs: Self.base + 10, value: 10),
      HistoryPoint(labels: "t", atMs: Self.base + 3, value: 3),
      HistoryPoint(labels: "t", atMs: Self.base + 3, value: 4),
      HistoryPoint(labels: "u", atMs: Self.base + 20, value: 20),
    ])
    let series = await store.history.load(sinceMs: Self.base + 3, untilMs: Self.base + 10)
    #expect(series.map(\.labels) == ["s", "t"])
    #expect(series.first?.points.map(\.value) == [3, 4, 50, 6, 7, 8, 9, 10])
    #expect(series.last?.points.map(\.value) == [4])
    #expect(store.health.pendingPoints == (isUnwritten ? 5 : 0))
    if isUnwritten { try holder.execute("ROLLBACK") }
    #expect(await store.history.load(sinceMs: 5, untilMs: 4).isEmpty)
  }

  @Test func theyAreWrittenByThemselves() async throws {
    let scratch = Scratch()
    var options = StoreOptions.quick
    options.historyDelayMs = 20
    let store = try await scratch.open(options)
    store.history.append([HistoryPoint(labels: "s", atMs: Self.base, value: 1)])
    #expect(store.health.pendingPoints == 1)
    #expect(await eventually { store.health.pendingPoints == 0 })
    let reader = try Database(path: scratch.path, busyTimeoutMs: 100)
    #expect(try reader.integer("SELECT sum(point_count) FROM history_frames") == 1)
    #expect(store.health.droppedPoints == 0)
  }

  @Test func theyAreRemovedByAge() async throws {
    let scratch = Scratch()
    let store = try await scratch.open()
    func advance(hours: Double) { scratch.now.withLock { $0 = $0 + hours * 3600 } }
    func append(_ labels: String) async {
      let nowMs = scratch.now.withLock { $0 }.epochMs
      store.history.append([HistoryPoint(labels: labels, atMs: nowMs, value: 1)])
      #expect(await store.history.flush())
    }
    await append("old")
    advance(hours: 25)
    await append("middle")
    #expect(await store.history.load(sinceMs: 0).map(\.labels) == ["middle", "old"])
    advance(hours: 2)
    await append("new")
    var removed = try await store.removeOld()
    #expect(removed["history_frames"] == 1 && removed["history_series"] == 0)
    #expect(await store.history.load(sinceMs: 0).map(\.labels) == ["middle", "new"])
    store.history.retain(ms: 3_600_000)
    advance(hours: 0.2)
    await append("new")
    removed = try await store.removeOld()
    #expect(removed["history_frames"] == 1)
    #expect(await store.history.load(sinceMs: 0).map(\.labels) == ["new"])
    // A series without points is forgotten as a whole, two days later at most, and its number is never used again.
    advance(hours: 72)
    removed = try await store.removeOld()
    #expect(removed["history_frames"] == 2 && removed["history_series"] == 3)
    await append("new")
    await append("old")
    let reader = try Database(path: scratch.path, busyTimeoutMs: 100)
    let rows = try reader.rows("SELECT labels, id FROM history_series ORDER BY id") { "\($0.text(0)) \($0.integer(1))" }
    #expect(rows == ["new 4", "old 5"])
    #expect(await store.history.load(sinceMs: 0).map(\.labels) == ["new", "old"])
  }

  @Test func theOldestAreRemovedByCount() async throws {
    let scratch = Scratch()
    var options = StoreOptions.quick
    options.historyPointCount = 1000
    var store = try await scratch.open(options)
    for round in 0..<300 {
      store.history.append((0..<10).map { HistoryPoint(labels: "\($0)", atMs: Self.base + Int64(round), value: 1) })
      #expect(await store.history.flush())
      if round == 200 {
        await store.close()
        store = try await scratch.open(options)
      }
    }
    let points = await store.history.load(sinceMs: 0)[0].points
    #expect((95...100).contains(points.count))
    #expect(points.last?.atMs == Self.base + 299)
  }

  @Test func memoryIsBounded() {
    var buffer = HistoryBuffer(limit: 3)
    func point(_ atMs: Int64, labels: String = "s") -> HistoryPoint {
      HistoryPoint(labels: labels, atMs: atMs, value: 1)
    }
    buffer.append([point(1), point(2)])
    let batch = buffer.batch()
    buffer.append([point(3), point(4), point(-1), point(.max), point(5, labels: String(repeating: "x", count: 5000))])
    #expect(buffer.points.map(\.atMs) == [2, 3, 4] && buffer.droppedPoints == 1 && buffer.refusedPoints == 3)
    buffer.settle(batch, dropped: 0)
    #expect(buffer.points.map(\.atMs) == [3, 4])
    let next = buffer.batch()
    buffer.append([point(5), point(6), point(7)])
    buffer.settle(next, dropped: 2)
    #expect(buffer.points.map(\.atMs) == [5, 6, 7] && buffer.droppedPoints == 5)
  }

  @Test func aFullDiskIsSurvived() async throws {
    let scratch = Scratch()
    var options = StoreOptions.quick
    options.pendingPointCount = 50_000
    options.historyDelayMs = 1
    let store = try await scratch.open(options)
    store.alerts.put([.sample("a")])
    await store.flush()
    try await store.limit(pages: 40)
    // Made beforehand: all are to be there before the first are written.
    let rounds = (0..<10).map { round in
      (0..<10_000).map {
        HistoryPoint(labels: "\($0 % 100)", atMs: Self.base + Int64(round * 100 + $0 / 100), value: 0.1)
      }
    }
    for points in rounds { store.history.append(points) }
    #expect(!(await store.history.flush()))
    guard case .memoryOnly(let reason) = store.health.state else {
      Issue.record("\(store.health)")
      return
    }
    #expect(reason.contains("full"))
    #expect(store.health.pendingPoints == 50_000 && store.health.droppedPoints == 50_000)
    // What fits is written all the same, and nobody is told that all is well.
    store.alerts.put([.sample("b")])
    #expect(await store.flush())
    #expect(!store.health.isDurable)
    #expect(scratch.notices.withLock { $0.map(\.severity) } == [.warning])
    try await store.limit(pages: 100_000)
    #expect(
      await eventually {
        store.health.isDurable && store.health.pendingPoints == 0 && scratch.notices.withLock { $0.count } == 2
      })
    let notices = scratch.notices.withLock { $0 }
    #expect(notices.map(\.severity) == [.warning, .info])
    #expect(notices.last?.text.contains("50000 points of history") == true)
    #expect(await store.history.load(sinceMs: 0).reduce(0) { $0 + $1.points.count } == 50_000)
  }

  @Test func theFileShrinksOnceMuchOfItIsFree() async throws {
    let scratch = Scratch()
    let store = try await scratch.open()
    for round in 0..<80 {
      store.history.append(
        (0..<20_000).map {
          HistoryPoint(labels: "\($0 % 100)", atMs: Self.base + Int64(round * 200 + $0 / 100), value: 0.1)
        })
      #expect(await store.history.flush())
    }
    let reader = try Database(path: scratch.path, busyTimeoutMs: 100)
    let full = try reader.integer("PRAGMA page_count")
    #expect(full > 3000)
    scratch.now.withLock { $0 = $0 + 200_000 }
    _ = try await store.removeOld()
    #expect(try reader.integer("PRAGMA page_count") <= full - 2048)
    #expect(try reader.rows("PRAGMA integrity_check") { $0.text(0) } == ["ok"])
  }

  // MARK: Frames

  static func entries() -> [HistoryFrame.Entry] {
    odd.enumerated().flatMap { number, value in
      [1, 2, 2, 300, 1 << 40].map {
        HistoryFrame.Entry(series: $0, atMs: base + Int64(number) * 70_000, bits: value.bitPattern)
      }
    }
  }

  @Test func aFrameReadsBack() {
    let entries = Self.entries()
    let bytes = HistoryFrame.encode(entries[...], fromMs: Self.base)
    var read: [HistoryFrame.Entry] = []
    let isWhole = HistoryFrame.decode(bytes, fromMs: Self.base) { read.append($0) }
    #expect(isWhole && read.count == entries.count)
    for (a, b) in zip(read, entries) { #expect(a.series == b.series && a.atMs == b.atMs && a.bits == b.bits) }
    #expect(bytes.count < entries.count * 12)
  }

  /// Bytes that nobody wrote are refused or read as something; they harm nothing.
  @Test func otherBytesAreNoFrame() {
    let bytes = HistoryFrame.encode(Self.entries()[...], fromMs: Self.base)
    for length in 0..<bytes.count {
      var count = 0
      _ = HistoryFrame.decode(Array(bytes[..<length]), fromMs: Self.base) { _ in count += 1 }
      #expect(count <= Self.entries().count)
    }
    for index in bytes.indices {
      for byte: UInt8 in [0, 0x7f, 0x80, 0xff] {
        var other = bytes
        other[index] = byte
        var count = 0
        _ = HistoryFrame.decode(other, fromMs: .max - 5) { _ in count += 1 }
        #expect(count <= bytes.count)
      }
    }
    let isWhole = HistoryFrame.decode([1] + [UInt8](repeating: 0xff, count: 40), fromMs: 0) { _ in }
    #expect(!isWhole)
    let isKnown = HistoryFrame.decode([2, 0, 0], fromMs: 0) { _ in }
    #expect(!isKnown)
  }
}
