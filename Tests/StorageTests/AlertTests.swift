import Glibc
import Runtime
import Testing

@testable import Storage

/// The alerts of a store: across restarts, kills, and files that come and go.
@Suite(.timeLimit(.minutes(1))) struct AlertTests {
  @Test func everyFieldIsThereAfterAReopen() async throws {
    let scratch = Scratch()
    let values = [
      0.1, -0.0, .infinity, -.infinity, .nan, Double(bitPattern: 0x7ff0_0000_0000_0002), .leastNonzeroMagnitude,
    ]
    let records = values.enumerated().map { number, value in
      StoredAlert(
        rule: "redis.yml;memory;High", labels: #"{"n":"\#(number)"}"#, annotations: #"{"summary":"é🧵"}"#, value: value,
        state: "firing", activeAtMs: .max, firedAtMs: 2, resolvedAtMs: .min, keepFiringSinceMs: 4, lastSentAtMs: 5)
    }
    var store = try await scratch.open()
    store.change { $0.put(records + [.sample("bare")]) }
    #expect(await store.flush())
    await store.close()
    store = try await scratch.open()
    #expect(store.alerts.isRestored)
    #expect(store.alerts.all() == [.sample("bare")] + records)
    #expect(store.alerts.all().first?.lastSentAtMs == nil)
    let reader = try Database(path: scratch.path, busyTimeoutMs: 100)
    let shown = try reader.rows("SELECT value FROM alerts WHERE rule LIKE 'redis%' ORDER BY labels") {
      $0.optionalReal(0)
    }
    #expect(shown == [0.1, 0, .infinity, -.infinity, nil, nil, .leastNonzeroMagnitude])
  }

  @Test func onlyWhatChangedIsWritten() {
    var records = StoreRecords(pendingLimit: 10)
    records.adopt(StoreContents())
    records.put([.sample("a", value: .nan), .sample("b")])
    records.settle(records.batch(), prunedKeys: [])
    records.put([.sample("a", value: .nan), .sample("b")])
    records.removeAlert(rule: "unknown", labels: "{}")
    #expect(!records.hasChanges)
    records.put([.sample("a", value: 2), .sample("b")])
    #expect(records.batch().alerts.written == [.sample("a", value: 2)])
    let batch = records.batch()
    records.put([.sample("a", value: 3)])
    records.settle(batch, prunedKeys: [])
    #expect(records.batch().alerts.written == [.sample("a", value: 3)])
    records.removeAlerts(ofRulesNotIn: ["b"])
    #expect(records.batch().alerts.written.isEmpty && records.batch().alerts.removed.map(\.rule) == ["a"])
  }

  @Test func removedAlertsStayAway() async throws {
    let scratch = Scratch()
    var store = try await scratch.open()
    store.alerts.put([.sample("a", labels: "1"), .sample("a", labels: "2"), .sample("b"), .sample("c")])
    await store.close()
    store = try await scratch.open()
    store.alerts.remove(rule: "a", labels: "1")
    store.alerts.removeRules(notIn: ["a", "c"])
    await store.close()
    store = try await scratch.open()
    #expect(store.alerts.all() == [.sample("a", labels: "2"), .sample("c")])
  }

  /// With an event and its count, in one transaction.
  @Test func changesTogetherAreOneTransaction() async throws {
    let scratch = Scratch()
    let store = try await scratch.open()
    await store.flush()
    let reader = try Database(path: scratch.path, busyTimeoutMs: 100)
    try reader.execute("CREATE TRIGGER refuse BEFORE INSERT ON alerts BEGIN SELECT RAISE(ABORT, 'refused'); END")
    store.change {
      $0.append(.sample("fired", kind: .alertFired), counting: [failovers])
      $0.put([.sample("a")])
      $0.append([.sample(at: 1_799_999_000_000)])
    }
    #expect(!(await store.flush()))
    for table in ["events", "counters", "alerts", "notifications"] {
      #expect(try reader.integer("SELECT count(*) FROM \(table)") == 0, "\(table)")
    }
    try reader.execute("DROP TRIGGER refuse")
    #expect(await store.flush())
    for table in ["events", "counters", "alerts", "notifications"] {
      #expect(try reader.integer("SELECT count(*) FROM \(table)") == 1, "\(table)")
    }
  }

  // MARK: Files that are read late

  @Test(arguments: [false, true])
  func aFileReadLateIsMerged(isSettled: Bool) {
    var records = StoreRecords(pendingLimit: 10)
    records.put([.sample("mine", value: 2), .sample("gone")])
    records.removeAlert(rule: "gone", labels: "{}")
    records.removeAlerts(ofRulesNotIn: ["mine", "gone", "stored"])
    if isSettled { records.settleAlerts() }
    var contents = StoreContents()
    contents.alerts = [.sample("mine", value: 1), .sample("gone"), .sample("stored"), .sample("of no rule")]
    records.adopt(contents)
    let expected: [StoredAlert] = [.sample("mine", value: 2)] + (isSettled ? [] : [.sample("stored")])
    #expect(records.alerts.records.values.sorted { $0.rule < $1.rule } == expected)
    // The file has rows that must go.
    #expect(records.batch().alerts.removesAll)
    #expect(records.batch().alerts.written.sorted { $0.rule < $1.rule } == expected)
    records.settle(records.batch(), prunedKeys: [])
    #expect(!records.hasChanges)
  }

  @Test func aFileThatComesBackHoldsNoOldEpisode() async throws {
    let scratch = Scratch()
    var store = try await scratch.open()
    store.alerts.put([.sample("old"), .sample("kept", value: 1)])
    await store.flush()
    store.alerts.settle()
    for suffix in ["", "-wal", "-shm"] { scratch.rename(scratch.path + suffix, to: scratch.path + ".away" + suffix) }
    store.alerts.remove(rule: "old", labels: "{}")
    store.alerts.put([.sample("kept", value: 2), .sample("new")])
    #expect(await store.flush())
    for suffix in ["", "-wal", "-shm"] { scratch.remove(scratch.path + suffix) }
    for suffix in ["", "-wal", "-shm"] { scratch.rename(scratch.path + ".away" + suffix, to: scratch.path + suffix) }
    // Points alone find the other file; the alerts follow.
    store.history.append([HistoryPoint(labels: "s", atMs: 1_799_999_000_000, value: 1)])
    #expect(await store.history.flush())
    let returned = try Database(path: scratch.path, busyTimeoutMs: 100)
    #expect(try returned.rows("SELECT rule FROM alerts ORDER BY rule") { $0.text(0) } == ["kept", "new"])
    await store.close()
    store = try await scratch.open()
    #expect(store.alerts.all() == [.sample("kept", value: 2), .sample("new")])
    #expect(store.health.filesSetAside == 0)
  }

  /// No file at the start: the alerts of the last run come in once there is one, and then go on.
  @Test func alertsOfADiskThatComesLateGoOn() async throws {
    let scratch = Scratch()
    var store = try await scratch.open()
    store.alerts.put([.sample("pending", value: 1)])
    await store.close()
    var holder: Database? = try Database(path: scratch.path, busyTimeoutMs: 0)
    try holder?.execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
    store = try await scratch.open()
    #expect(!store.alerts.isRestored && store.alerts.all().isEmpty)
    store.alerts.put([.sample("another")])
    #expect(!(await store.flush()))
    holder = nil
    #expect(await eventually { store.health.isDurable })
    #expect(store.alerts.isRestored)
    #expect(store.alerts.all() == [.sample("another"), .sample("pending", value: 1)])
  }

  @Test func damageWhileOpenCostsNoAlert() async throws {
    let scratch = Scratch()
    var store = try await scratch.open()
    let records = (0..<300).map { StoredAlert.sample("r", labels: "\(1000 + $0)") }
    store.alerts.put(records)
    await store.flush()
    let other = try Database(path: scratch.path, busyTimeoutMs: 100)
    try other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    scratch.write([UInt8](repeating: 0xAA, count: 81_920), to: scratch.path, at: 4096)
    // Found by the points of history; alerts must be written to the new file all the same.
    store.history.append([HistoryPoint(labels: "s", atMs: 1_799_999_000_000, value: 1)])
    #expect(await store.history.flush())
    #expect(store.health.filesSetAside == 1 && store.health.isDurable)
    let fresh = try Database(path: scratch.path, busyTimeoutMs: 100)
    #expect(try fresh.integer("SELECT count(*) FROM alerts") == 300)
    await store.close()
    store = try await scratch.open()
    #expect(store.alerts.all() == records)
    #expect(await store.history.load(sinceMs: 0).map(\.labels) == ["s"])
  }

  @Test func aFullDiskCostsNoAlert() async throws {
    let scratch = Scratch()
    var store = try await scratch.open()
    store.alerts.put((0..<50).map { .sample("r", labels: "\(100 + $0)") })
    await store.flush()
    try await store.limit(pages: 40)
    let long = "{\"summary\":\"\(String(repeating: "x", count: 4000))\"}"
    let records = (0..<100).map { StoredAlert.sample("r", labels: "\(100 + $0)", value: 7, annotations: long) }
    store.alerts.put(records)
    store.alerts.remove(rule: "r", labels: "100")
    #expect(!(await store.flush()))
    #expect(!store.health.isDurable)
    #expect(store.alerts.all() == Array(records.dropFirst()))
    try await store.limit(pages: 100_000)
    #expect(await eventually { store.health.isDurable })
    #expect(await store.flush())
    await store.close()
    store = try await scratch.open()
    #expect(store.alerts.all() == Array(records.dropFirst()))
  }

  // MARK: Bounds

  @Test func alertsAreBounded() {
    var records = StoreRecords(pendingLimit: 10)
    records.adopt(StoreContents())
    records.put((0..<StoreLimits.alerts + 3).map { .sample("r", labels: "\($0)") })
    #expect(records.alerts.records.count == StoreLimits.alerts && records.alerts.refusedRecords == 3)
    let long = String(repeating: "x", count: 100_000)
    records.removeAlert(rule: "r", labels: "0")
    records.put([.sample(long), .sample("r", labels: long)])
    #expect(records.alerts.refusedRecords == 5)
    #expect(StoredAlert.sample("r", annotations: long).annotations == #"{"omitted_bytes":"100000"}"#)
    // Alerts that come and go while nothing can be written take no more room than those that stay.
    for round in 0..<6 {
      records.put((0..<20_000).map { .sample("s", labels: "\(round)/\($0)") })
      records.removeAlerts(ofRulesNotIn: ["r"])
      records.removeAlerts(ofRulesNotIn: [])
    }
    #expect(records.batch().alerts.removesAll)
    #expect(records.batch().alerts.removed.isEmpty && records.batch().alerts.written.isEmpty)
  }

  // MARK: Kills

  /// The child changes alerts, notes down what it was promised, and is killed by SIGKILL at some moment.
  @Test(arguments: [3, 17, 40, 75, 120, 180])
  func whatWasFlushedSurvivesAKill(killAfterMs: Int) async throws {
    let scratch = Scratch()
    let directory = scratch.directory
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [directory = directory as String, killAfterMs = killAfterMs as Int] in
      let store = try await Store.open(directory + "/redline.db", notice: { _ in })
      let promise = unsafe Glibc.open(directory + "/promise", O_WRONLY | O_CREAT, 0o600)
      for round in 1...1_000_000 {
        store.change { records in
          records.put((0..<20).map { .sample("r", labels: "\($0)", value: Double(round), lastSentAtMs: Int64(round)) })
          // Each lives for one round.
          records.put([.sample("once", labels: "\(round)", value: Double(round))])
          records.removeAlert(rule: "once", labels: "\(round - 1)")
        }
        store.history.append([HistoryPoint(labels: "s", atMs: Int64(round), value: Double(round))])
        guard await store.flush() else { continue }
        let text = Array("\(round)\n".utf8)
        _ = unsafe pwrite(promise, text, text.count, 0)
        guard round == 1 else { continue }
        Task.detached {
          try await Task.sleep(for: .milliseconds(killAfterMs))
          kill(getpid(), SIGKILL)
        }
      }
    }
    let text = try #require(SmallFile.text(scratch.directory + "/promise"))
    let promised = try #require(Double(text.dropLast()))
    let store = try await scratch.open()
    #expect(store.health.filesSetAside == 0 && promised > 0)
    let alerts = store.alerts.all()
    // The round of the kill may be there, whole; never one before the promise, nor half of one.
    let values = Set(alerts.map(\.value))
    #expect(values.count == 1 && alerts.count == 21)
    #expect(values.first.map { $0 == promised || $0 == promised + 1 } == true)
    #expect(alerts.filter { $0.rule == "r" }.allSatisfy { $0.lastSentAtMs == Int64($0.value) })
  }
}

extension StoredAlert {
  static func sample(
    _ rule: String, labels: String = "{}", value: Double = 1, annotations: String = "{}", lastSentAtMs: Int64? = nil
  ) -> StoredAlert {
    StoredAlert(
      rule: rule, labels: labels, annotations: annotations, value: value, state: "pending",
      activeAtMs: 1_799_999_000_000, lastSentAtMs: lastSentAtMs)
  }
}
