import PromQL
import Storage
import TestSupport
import Testing

@testable import Alerting

/// History of the last run on its way into the series store, through a real file.
@Suite(.timeLimit(.minutes(1))) struct HistoryIntakeTests {
  static let now: Int64 = 1_800_000_000_000
  static let hour: Int64 = 3_600_000

  let folder = TemporaryFolder()

  static func labels(_ name: String) -> String { "{\"__name__\":\"\(name)\",\"i\":\"1\"}" }

  /// A point of `long` and `short` every ten minutes of the last day.
  func store() async throws -> Store {
    let store = try await Store.open("\(folder.path)/redline.db") { _ in }
    store.history.retain(ms: 1_000 * Self.hour)
    for minute in stride(from: Int64(0), to: 1440, by: 10) {
      let time = Self.now - (1440 - minute) * 60_000
      store.history.append(
        ["long", "short", "unread"].map { HistoryPoint(labels: Self.labels($0), atMs: time, value: Double(minute)) })
    }
    store.history.append([HistoryPoint(labels: "nonsense", atMs: Self.now - 1000, value: 1)])
    #expect(await store.history.flush())
    return store
  }

  static var policy: HistoryPolicy {
    var policy = HistoryPolicy(defaultMilliseconds: 0)
    policy.keep("long", forMilliseconds: 24 * hour)
    policy.keep("short", forMilliseconds: 2 * hour)
    return policy
  }

  static func take(_ intake: inout HistoryIntake, from store: Store, hurriesAfter spans: Int = .max) async {
    var count = 0
    while let span = intake.nextSpan(hurries: count >= spans) {
      #expect(span.upperBound - span.lowerBound < HistoryIntake.spanMilliseconds)
      intake.take(await store.history.load(sinceMs: span.lowerBound, untilMs: span.upperBound))
      count += 1
    }
    intake.finish()
  }

  static func times(_ name: String, in series: SeriesStore) throws -> [Int64] {
    let matcher = try LabelMatcher(Labels.metricName, .equal, name)
    return try series.select([matcher], fromMilliseconds: .min, throughMilliseconds: .max)
      .flatMap(\.samples).map(\.timestampMilliseconds)
  }

  @Test func everyHourArrivesOnce() async throws {
    let (store, series) = (try await store(), SeriesStore(policy: Self.policy))
    var intake = HistoryIntake(into: series, policy: Self.policy, nowMilliseconds: Self.now)
    await Self.take(&intake, from: store)
    let expected = stride(from: Self.now - 24 * Self.hour, to: Self.now, by: 600_000)
    #expect(try Self.times("long", in: series) == Array(expected))
    #expect(try Self.times("short", in: series) == expected.filter { $0 >= Self.now - 2 * Self.hour })
    #expect(try Self.times("unread", in: series).isEmpty)
    #expect(intake.beginnings == ["long": Self.now - 24 * Self.hour, "short": Self.now - 2 * Self.hour])
    #expect(intake.pointCount == 144 + 12 && intake.skippedCount == 0)
    // Others give the series from here on.
    let origin = series.openOrigin()
    var batch = SeriesBatch()
    batch.append(1, to: try series.reference(to: ["__name__": "long", "i": "1"]))
    #expect(try series.append(batch, atMilliseconds: Self.now, from: origin).appended == 1)
    await store.close()
  }

  @Test func inAHurryTheNewestHourComesNext() async throws {
    let (store, series) = (try await store(), SeriesStore(policy: Self.policy))
    var intake = HistoryIntake(into: series, policy: Self.policy, nowMilliseconds: Self.now)
    await Self.take(&intake, from: store, hurriesAfter: 3)
    let times = try Self.times("long", in: series)
    #expect(times.count == 4 * 6 && times.first == Self.now - 24 * Self.hour)
    #expect(times.last == Self.now - 600_000 && intake.skippedCount == 20)
    await store.close()
  }

  @Test func whatNobodyReadsAnyMoreIsLeftOut() async throws {
    let (store, series) = (try await store(), SeriesStore(policy: Self.policy))
    var intake = HistoryIntake(into: series, policy: Self.policy, nowMilliseconds: Self.now)
    #expect(intake.nextSpan(hurries: false) != nil)
    intake.policy = HistoryPolicy(defaultMilliseconds: 0)
    await Self.take(&intake, from: store)
    #expect(series.sampleCount == 0)
    await store.close()
  }
}
