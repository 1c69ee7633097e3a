import Config
import Logging
import Metrics
import Runtime
import Storage

/// The results of checks that commands ran: taken from a folder and from clients, kept over restarts, shown as series.
///
/// They are about what people verify, and never change how a workload stands.
public actor CheckReportStore {
  /// Why a result was not taken.
  public struct Refusal: Error, Sendable, Equatable, CustomStringConvertible {
    /// Whether it may be taken later as it is.
    public let isPassing: Bool
    /// Whether it is for another shard, and here for nobody to touch.
    public var isOfAnother = false
    public let description: String
  }

  /// A file that was not taken, for people.
  public struct RefusedFile: Sendable, Equatable {
    public let at: WallTime
    public let name: String
    public let reason: String
  }

  private static let lookInterval: Duration = .seconds(5)
  private static let refusedLimit = 20
  /// How long nobody must have written to an unfinished file before it is taken for one of a command that was killed.
  private static let partialSeconds = 3600.0
  /// Without a file: as many as the store has pending.
  private static let memoryLimit = 100

  /// Of the configuration, as commands name it.
  private let file: String
  private let store: Store?
  private let registry: Registry
  private let log: Logger
  private let clock: @Sendable () -> WallTime

  private var config: FleetConfig
  private var tracker = CheckTracker()
  private var isRestored = false
  /// Newest last, where there is no store.
  private var kept: [CheckReport] = []
  private var published: Set<String> = []
  public private(set) var refused: [RefusedFile] = []
  private var folder = FolderLook()

  /// What is remembered of the folder from look to look.
  private struct FolderLook {
    /// Files that could not be read as a result, until they are found unchanged.
    var suspects: [String: FileStamp] = [:]
    /// Files that are done with and could not be removed.
    var stuck: [String: FileStamp] = [:]
    var partial: [String: (stamp: FileStamp, since: WallTime)] = [:]
    var isFailing = false
  }

  public init(
    _ config: FleetConfig, file: String, store: Store?, registry: Registry, log: Logger,
    clock: @escaping @Sendable () -> WallTime = { .now }
  ) {
    self.config = config
    self.file = file
    self.store = store
    self.registry = registry
    self.log = log
    self.clock = clock
  }

  // MARK: Over restarts

  /// Takes over what earlier runs kept. When it returns, all series are on the page.
  public func start() async {
    await restore()
    adopt(config)
  }

  public func apply(_ new: FleetConfig) {
    config = new
    folder = FolderLook()
    adopt(new)
  }

  private func adopt(_ config: FleetConfig) {
    let before = tracker.configured
    let now = clock().toMilliseconds
    tracker.apply(config, at: now) { [store] key in store?.facts[Self.fact(key)].map(\.changed) }
    for (key, time) in tracker.configured { store?.facts.set(Self.fact(key), to: "configured", at: time) }
    for key in before.keys where tracker.configured[key] == nil { store?.facts.set(Self.fact(key), to: nil, at: now) }
    publish()
  }

  private static func fact(_ key: CheckTracker.Key) -> String { "check/\(key.workload)/\(key.check)/configured" }

  private func restore() async {
    tracker.apply(config, at: clock().toMilliseconds) { [store] key in store?.facts[Self.fact(key)].map(\.changed) }
    guard let store else {
      isRestored = true
      return
    }
    var query = CheckResultQuery(limit: .max)
    query.newestButOf = CheckResult.Answer.unknown.rawValue
    for report in await store.checkResults.newest(query).compactMap({ CheckReport($0) }) { tracker.note(report) }
    isRestored = store.health.isDurable
  }

  // MARK: Taking results

  /// Takes a result. When it returns, it outlives the end of the process, as far as there is a file to keep it in.
  ///
  /// - Throws: why it is not taken.
  public func take(_ report: CheckReport) async throws(Refusal) {
    guard tracker.workloads.contains(report.workload) else {
      if let share = config.share, let owner = share.owners[report.workload] {
        throw Refusal(
          isPassing: false, isOfAnother: true,
          description:
            "workload: \"\(report.workload)\" is watched by shard \(owner) of \(share.shard.count): hand it in there")
      }
      let names = tracker.workloads.prefix(20).joined(separator: ", ")
      throw Refusal(
        isPassing: false, description: "workload: \"\(report.workload)\" is none of this daemon; it has \(names)")
    }
    guard tracker.admits(report) else {
      throw Refusal(
        isPassing: false,
        description:
          "check: \(report.workload) has \(CheckTracker.checkLimit) checks already; use one of their names, not a new one for each run"
      )
    }
    if let store {
      store.checkResults.append([StoredCheckResult(report)])
      guard await store.flush() else {
        throw Refusal(isPassing: true, description: "the file of storage.path cannot be written now; try again later")
      }
    } else if !kept.contains(report) {
      kept = (kept + [report]).suffix(Self.memoryLimit)
    }
    tracker.note(report)
    publish()
    log.info(
      "result of a check",
      metadata: [
        "check": "\(report.check)", "workload": "\(report.workload)", "verdict": "\(report.verdict.rawValue)",
      ])
  }

  /// Takes what is left in the folder, until the task is cancelled.
  public func run() async {
    while !Task.isCancelled {
      await look()
      try? await Task.sleep(for: Self.lookInterval)
    }
  }

  /// One look at the folder.
  func look() async {
    if !isRestored {
      await restore()
      publish()
    }
    guard let path = config.results?.path else { return }
    do throws(FileProblem) {
      let found = try await FileWork.shared.value(of: path, isTold: false) { () throws(FileProblem) in
        try CheckReportFolder.left(in: path)
      }
      if folder.isFailing { log.info("the folder of results can be read again", metadata: ["results": "\(path)"]) }
      folder.isFailing = false
      await settle(fates(of: found.files).merging(abandoned(found.partial)) { one, _ in one }, found.files, in: path)
    } catch {
      if !folder.isFailing {
        log.warning("results cannot be taken", metadata: ["results": "\(path)", "error": "\(error.reason)"])
      }
      folder.isFailing = true
    }
  }

  private func fates(of files: [CheckReportFolder.Left]) async -> [String: CheckReportFolder.Fate] {
    let names = Set(files.map(\.name))
    folder.suspects = folder.suspects.filter { names.contains($0.key) }
    folder.stuck = folder.stuck.filter { names.contains($0.key) }
    var fates: [String: CheckReportFolder.Fate] = [:]
    for file in files where file.stamp == nil || folder.stuck[file.name] != file.stamp {
      do throws(Refusal) {
        try await take(Self.report(in: file, now: clock()))
        fates[file.name] = .removed
      } catch {
        if error.isPassing || error.isOfAnother { continue }
        // It may be that somebody is still writing it: a bad file is one that stays as it is.
        guard folder.suspects[file.name] == file.stamp else {
          folder.suspects[file.name] = file.stamp
          continue
        }
        refuse(file.name, error.description)
        fates[file.name] = .setAside
      }
    }
    return fates
  }

  private static func report(in file: CheckReportFolder.Left, now: WallTime) throws(Refusal) -> CheckReport {
    let bytes: [UInt8]
    do throws(FileProblem) { bytes = try file.content.get() } catch {
      throw Refusal(isPassing: false, description: error.reason)
    }
    do throws(IntakeError) { return try CheckReport(json: bytes, now: now) } catch {
      throw Refusal(isPassing: false, description: error.description)
    }
  }

  private func refuse(_ name: String, _ reason: String) {
    let shown = oneLine(name.cut(toBytes: 200))
    log.warning(
      "a result of a check is not taken: its file now ends in .bad",
      metadata: ["file": "\(shown)", "error": "\(reason)"])
    refused = (refused + [RefusedFile(at: clock(), name: shown, reason: reason)]).suffix(Self.refusedLimit)
  }

  /// What commands left half written that were killed.
  private func abandoned(_ partial: [(name: String, stamp: FileStamp)]) -> [String: CheckReportFolder.Fate] {
    let now = clock()
    let before = folder.partial
    folder.partial = [:]
    var fates: [String: CheckReportFolder.Fate] = [:]
    for (name, stamp) in partial {
      let since = before[name].flatMap { $0.stamp == stamp ? $0.since : nil } ?? now
      folder.partial[name] = (stamp, since)
      if now - since > Self.partialSeconds { fates[name] = .removed }
    }
    return fates
  }

  private func settle(
    _ fates: [String: CheckReportFolder.Fate], _ files: [CheckReportFolder.Left], in path: String
  ) async {
    guard !fates.isEmpty else { return }
    let problems =
      (try? await FileWork.shared.value(of: path, isRecorded: false) { () throws(FileProblem) in
        CheckReportFolder.settle(fates, in: path)
      }) ?? fates.mapValues { _ in FileProblem(reason: "the folder does not answer") }
    for (name, problem) in problems {
      folder.stuck[name] = files.first { $0.name == name }?.stamp
      log.warning(
        "a file of the folder of results cannot be removed: it is not looked at again",
        metadata: ["file": "\(oneLine(name.cut(toBytes: 200)))", "error": "\(problem.reason)"])
    }
  }

  // MARK: Showing

  /// Every check that ran or is asked for.
  ///
  /// - Parameter workload: nil for all.
  public func states(of workload: String? = nil) -> [CheckState] { tracker.states(of: workload, file: file) }

  /// The newest results that match, by their end, the newest first.
  public func newest(_ query: CheckResultQuery) async -> [CheckReport] {
    if let store { return await store.checkResults.newest(query).compactMap { CheckReport($0) } }
    let all = kept.filter { report in
      (query.workload ?? report.workload) == report.workload && (query.check ?? report.check) == report.check
    }
    return Array(all.sorted { $1.endedAt < $0.endedAt }.prefix(query.limit))
  }

  private func publish() {
    let states = Dictionary(grouping: tracker.states(file: file), by: \.workload)
    for name in published where states[name] == nil { registry.withdraw(Self.source(name)) }
    published = Set(states.keys)
    for workload in config.workloads {
      guard let states = states[workload.name] else { continue }
      var sink = SampleSink()
      for state in states { CheckReportFamilies.add(state, into: &sink) }
      registry.publish(
        sink.finish().with(constantLabels: workload.seriesLabels), under: Self.source(workload.name))
    }
  }

  private static func source(_ workload: String) -> String { "\(workload)/verified" }
}

extension StoredCheckResult {
  init(_ report: CheckReport) {
    self.init(
      check: report.check, workload: report.workload, startedAtMs: report.startedAt.epochMs,
      endedAtMs: report.endedAt.epochMs, verdict: report.verdict.rawValue,
      report: String(decoding: report.json, as: UTF8.self))
  }
}

extension CheckReport {
  /// What was kept; nil where it cannot be read.
  init?(_ stored: StoredCheckResult) {
    do throws(IntakeError) { try self.init(json: Array(stored.report.utf8), now: .distantFuture) } catch {
      return nil
    }
  }
}
