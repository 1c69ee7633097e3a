import Logging
import Metrics
import Runtime
import Storage

/// Runs jobs when they are due, each one at a time, and keeps what they find.
///
/// A job that throws or takes too long is tried again later. One that does not even end when it is cancelled is given up and
/// not started a second time. A run that the end of the process cuts off leaves a result as well, at the next start.
public actor JobRunner {
  private struct Entry {
    let job: any Job
    var tracker: JobTracker
    /// Of the newest run that succeeded, also before the last restart.
    var reports: [JobReport]?
    var runNumber = 0
    /// The newest run. A run that was given up may go on, though the tracker knows it no more.
    var work: Task<Void, Never>?
    var timer: Task<Void, Never>?

    func due(at now: WallTime) -> WallTime? { work == nil ? tracker.due(at: now) : nil }
  }

  /// After a start, so that jobs are not in the way of the first polls.
  private static let firstRunSeconds = 5.0
  /// How often the wall clock is looked at, which may be set.
  private static let lookSeconds = 60.0
  /// How long the end waits for runs that were cancelled.
  private static let stopLimit: Duration = .seconds(2)
  /// Reports of one run.
  static let reportLimit = 100
  /// Results in memory, where there is no store.
  private static let memoryLimit = 100

  private let store: Store?
  private let log: Logger
  private let clock: @Sendable () -> WallTime
  private let publish: @Sendable (Samples) -> Void
  private var entries: [String: Entry] = [:]
  private var results: [JobResult] = []
  private weak var fleet: Fleet?
  private var isStopped = false
  private var hasGivenUp = false
  private var waiters: [CheckedContinuation<Void, Never>] = []

  /// - Parameters:
  ///   - store: nil keeps results in memory alone.
  ///   - publish: is handed the samples of all jobs whenever a run begins or ends.
  public init(
    _ jobs: [any Job] = JobCatalogue.all, store: Store?, log: Logger,
    clock: @escaping @Sendable () -> WallTime = { .now }, publish: @escaping @Sendable (Samples) -> Void
  ) {
    self.store = store
    self.log = log
    self.clock = clock
    self.publish = publish
    for job in jobs { entries[job.name] = Entry(job: job, tracker: JobTracker(job.schedule)) }
  }

  /// Says whose servers jobs look at.
  func serve(_ fleet: Fleet) { self.fleet = fleet }

  /// Takes over what the runs of before left. When it returns, all series are on the page.
  public func start() async {
    guard let store else {
      log.info("without storage.path, results of jobs are kept in memory only")
      return publishSamples()
    }
    for name in entries.keys.sorted() {
      noteInterrupted(name, in: store)
      let newest = await store.jobResults.newest(JobResultQuery(job: name, limit: 20))
      let succeeded = await store.jobResults.newest(
        JobResultQuery(job: name, outcome: .succeeded, limit: Self.reportLimit))
      entries[name]?.tracker.restore(newest, lastSuccess: succeeded.first)
      // A run leaves a result for each of its reports.
      let reports = succeeded.prefix { $0.startedAtMs == succeeded.first?.startedAtMs }.compactMap { JobReport($0) }
      if !reports.isEmpty { entries[name]?.reports = reports.filter { $0 != JobReport() }.reversed() }
    }
    publishSamples()
  }

  /// Runs jobs when they are due, until the task is cancelled.
  public func run() async {
    try? await Task.sleep(for: .seconds(Self.firstRunSeconds))
    while !Task.isCancelled {
      let now = clock()
      for name in entries.keys.sorted() where entries[name]?.due(at: now).map({ $0 <= now }) ?? false { begin(name) }
      let next = entries.values.compactMap { $0.due(at: now) }.min() ?? .distantFuture
      try? await Task.sleep(for: .seconds(min(max(next - now, 1), Self.lookSeconds)))
    }
  }

  /// Runs a job now, whatever its schedule, unless it runs already, and waits until it ends or is given up.
  ///
  /// - Returns: how it ended; nil where there is no such job, it was given up and still goes on, or the runner was stopped.
  @discardableResult
  public func run(_ name: String) async -> JobResult.Outcome? {
    begin(name)
    guard entries[name]?.tracker.running != nil else { return nil }
    while entries[name]?.tracker.running != nil { await withCheckedContinuation { waiters.append($0) } }
    return entries[name]?.tracker.newest?.outcome
  }

  /// The newest results that match, the newest first.
  public func newestResults(_ query: JobResultQuery = JobResultQuery()) async -> [JobResult] {
    if let store { return await store.jobResults.newest(query) }
    return Array(results.reversed().filter(query.matches).prefix(query.boundedLimit))
  }

  /// Cancels what runs and waits a moment for it to end.
  public func stop() async {
    isStopped = true
    for entry in entries.values { entry.work?.cancel() }
    let timer = Task {
      try? await Task.sleep(for: Self.stopLimit)
      giveUpWaiting()
    }
    while !hasGivenUp, entries.values.contains(where: { $0.tracker.running != nil }) {
      await withCheckedContinuation { waiters.append($0) }
    }
    timer.cancel()
    for entry in entries.values { entry.timer?.cancel() }
  }

  private func giveUpWaiting() {
    hasGivenUp = true
    wakeWaiters()
  }

  private func wakeWaiters() {
    let waiting = waiters
    waiters = []
    for waiter in waiting { waiter.resume() }
  }

  // MARK: One run

  private func begin(_ name: String) {
    guard !isStopped, var entry = entries[name], entry.work == nil else { return }
    let (job, number, now) = (entry.job, entry.runNumber + 1, clock())
    let context = JobContext(store: store, started: now, log: log, fleet: fleet)
    entry.runNumber = number
    entry.tracker.begin(at: now)
    entry.work = Task { [store] in
      // Should the run end the process, the next start knows of it.
      store?.facts.set(Self.mark(name), to: "\(now.epochMs)", at: now)
      _ = await store?.flush()
      do {
        let reports = try await job.run(context)
        end(name, number, with: Self.checked(reports))
      } catch {
        end(name, number, with: .failure(Failure(error, isStopped: isStopped)))
      }
      entries[name]?.work = nil
    }
    entry.timer = Task {
      try? await Task.sleep(for: job.limit)
      guard !Task.isCancelled else { return }
      giveUp(name, number)
    }
    entries[name] = entry
    publishSamples()
  }

  private struct Failure: Error {
    var outcome = JobResult.Outcome.failed
    let text: String

    init(_ text: String, _ outcome: JobResult.Outcome = .failed) { (self.text, self.outcome) = (text, outcome) }

    init(_ error: any Error, isStopped: Bool) {
      self.init(
        isStopped ? "the daemon was stopped" : "\(error)".cut(toBytes: ForeignText.byteLimit),
        isStopped ? .interrupted : .failed)
    }
  }

  /// The same reports, unless they are too many or too long to be kept.
  private static func checked(_ reports: [JobReport]) -> Result<[JobReport], Failure> {
    if reports.count > reportLimit {
      return .failure(Failure("\(reports.count) reports, and at most \(reportLimit) are kept"))
    }
    guard let longest = reports.map(\.json.utf8.count).max(), longest > StoreLimits.reportBytes else {
      return .success(reports)
    }
    return .failure(Failure("a report has \(longest) bytes, and at most \(StoreLimits.reportBytes) are kept"))
  }

  /// A run that takes too long. It is cancelled, and whether it heeds that or not, it counts as over.
  private func giveUp(_ name: String, _ number: Int) {
    guard let entry = entries[name], entry.runNumber == number else { return }
    entry.work?.cancel()
    end(name, number, with: .failure(Failure("it took longer than \(entry.job.limit)", .timedOut)))
  }

  private func end(_ name: String, _ number: Int, with outcome: Result<[JobReport], Failure>) {
    guard var entry = entries[name], entry.runNumber == number, let run = entry.tracker.running else { return }
    entry.timer?.cancel()
    var reports: [JobReport]
    switch outcome {
    case .success(let found):
      if entry.tracker.isFailing { log.info("job works again", metadata: ["task": "\(name)"]) }
      entry.tracker.end(.succeeded, at: clock())
      entry.reports = found
      // A run that found nothing has a result, too.
      reports = found.isEmpty ? [JobReport()] : found
    case .failure(let failure):
      entry.tracker.end(failure.outcome, at: clock())
      reports = [JobReport(lines: [failure.text])]
      if failure.outcome != .interrupted {
        log.error(
          "job failed",
          metadata: ["task": "\(name)", "outcome": "\(failure.outcome.rawValue)", "error": "\(failure.text)"])
      }
    }
    entries[name] = entry
    guard let ended = entry.tracker.newest, let outcome = ended.outcome else { return }
    keep(
      reports.map {
        JobResult(
          job: name, workload: $0.workload, startedAtMs: run.started.epochMs,
          endedAtMs: (ended.ended ?? run.started).epochMs, outcome: outcome,
          report: $0.json)
      }, of: name)
    publishSamples()
    wakeWaiters()
  }

  // MARK: Results

  private static func mark(_ name: String) -> String { "job/\(name)/started_ms" }

  /// Together with the results, the mark goes that said that the job runs.
  private func keep(_ new: [JobResult], of name: String) {
    guard let store else {
      results += new
      return results.removeFirst(max(0, results.count - Self.memoryLimit))
    }
    let now = clock()
    store.change { records in
      records.append(new)
      records.setFact(Self.mark(name), to: nil, at: now)
    }
  }

  /// A run that the last process did not live to see the end of.
  private func noteInterrupted(_ name: String, in store: Store) {
    guard let started = store.facts[Self.mark(name)].flatMap({ Int64($0.value) }) else { return }
    log.warning("a run of a job was cut off by the end of the process", metadata: ["task": "\(name)"])
    let report = JobReport(lines: ["the process ended before the run did"])
    keep(
      [
        JobResult(
          job: name, startedAtMs: started, endedAtMs: max(started, clock().epochMs),
          outcome: .interrupted, report: report.json)
      ], of: name)
  }

  private func publishSamples() {
    var sink = SampleSink()
    for (name, entry) in entries.sorted(by: { $0.key < $1.key }) {
      JobFamilies.add(entry.tracker, of: name, into: &sink)
      if let reports = entry.reports { entry.job.add(reports, into: &sink) }
    }
    publish(sink.finish())
  }
}

extension JobReport {
  /// What was kept; nil where it cannot be read.
  init?(_ result: JobResult) {
    guard let json = try? JSONReader.value(Array(result.report.utf8)), json["numbers"] != nil else { return nil }
    let numbers = (json["numbers"]?.members ?? []).compactMap { member in member.value.number.map { (member.name, $0) }
    }
    self.init(
      workload: result.workload, numbers: Dictionary(numbers) { $1 },
      lines: (json["lines"]?.elements ?? []).compactMap(\.string))
  }

  /// As it is kept.
  var json: String {
    JSONWriter.text { json in
      json.object { json in
        json.key("numbers")
        json.object { json in
          for (name, value) in numbers.sorted(by: { $0.key < $1.key }) { json.field(name, value) }
        }
        json.key("lines")
        json.strings(lines)
      }
    }
  }
}
