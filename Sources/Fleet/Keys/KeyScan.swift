import Config
import Logging
import Metrics
import NIOCore
import Redis
import Runtime

/// The one engine of all that is done with keys: looks at keys by name and walks over all others by SCAN, again and again,
/// and keeps what the newest whole pass found.
///
/// What is looked for, and what answers mean, is the business of ``KeyWatch``; here are the pace, the limits, the order, and
/// what happens when something fails. Which server is asked may change at any time: a pass that is under way then begins
/// again elsewhere.
actor KeyScan {
  private let watches: [any KeyWatch]
  private let options: KeyScanOptions
  private let complaints: ComplaintLog
  private let show: @Sendable (KeyPlace, KeyResults) -> Void
  private nonisolated let box = Lock(KeyResults())

  private var place: KeyPlace?
  /// Keys that were found elsewhere, by watch.
  private var foundNames: [String: Set<KeyName>] = [:]
  private var routes = KeyRoutes.single
  private var results = KeyResults() {
    didSet { box.withLock { [results] in $0 = results } }
  }
  private var schedule: PassSchedule
  private var task: Task<Void, Never>?
  private var resting: Task<Void, Never>?
  private var isStopped = false
  private let firstPass = FirstPass()

  /// - Parameter show: is handed what is known whenever that is more; also after a pass that failed.
  init(
    _ watches: [any KeyWatch], _ options: KeyScanOptions, log: Logger,
    show: @escaping @Sendable (KeyPlace, KeyResults) -> Void
  ) {
    self.watches = watches
    self.options = options
    complaints = ComplaintLog(log)
    schedule = PassSchedule(intervalSeconds: options.intervalSeconds)
    self.show = show
  }

  /// What the newest passes found, as far as it is not too old.
  nonisolated var newest: KeyResults { box.withLock { $0 }.fresh(at: .now(), options) }

  /// Asks this server from now on; nil for none.
  ///
  /// - Parameter names: keys to be looked at by name, beside those that each watch names.
  func aim(at place: KeyPlace?, names: [String: Set<KeyName>] = [:]) {
    let isWoken = place !== self.place || (foundNames.isEmpty && !names.isEmpty)
    if place !== self.place {
      schedule.noteSuccess()
      routes = .single
    }
    self.place = place
    foundNames = names
    if task == nil, !isStopped { task = Task(priority: .utility) { await run() } }
    if isWoken { resting?.cancel() }
  }

  func stop() {
    isStopped = true
    task?.cancel()
    resting?.cancel()
    place = nil
    firstPass.end()
  }

  /// Waits until the first pass has ended, well or not, or until `deadline`.
  func firstPass(deadline: NIODeadline, on loop: any EventLoop) async {
    await firstPass.wait(until: deadline, on: loop) { id in Task { await self.release(id) } }
  }

  private func release(_ id: Int) { firstPass.release(id) }

  // MARK: Pass after pass

  private func run() async {
    // A thousand of them do not begin in step.
    if options.isOfWorkload { await rest(options.intervalSeconds * Double.random(in: 0..<0.2)) }
    while !Task.isCancelled {
      guard let place, hasWork else {
        await rest(KeyWorkLimits.idleSeconds)
        continue
      }
      let started = NIODeadline.now()
      do throws(RedisError) {
        try await passApart(at: place, started)
        schedule.noteSuccess()
        complaints.end("pass", "key work goes on again", at: place)
      } catch {
        if Task.isCancelled { return }
        guard place === self.place else { continue }
        schedule.noteFailure()
        results.firstWalk.noteFailure()
        if error.errorClass == .permission { results.refusedWalk = "scan" }
        place.cost.errorCount.add(1, error.errorClass.rawValue)
        complaints.tell("pass", "keys cannot be looked at and are tried again later", error, at: place)
      }
      results = results.fresh(at: .now(), options)
      show(place, results)
      firstPass.end()
      let rest = schedule.restSeconds(afterSeconds: Self.seconds(since: started))
      if rest > KeyWorkLimits.idleSeconds { await place.link.closeUnlessKept() } else { await place.link.closeAged() }
      await self.rest(rest)
    }
  }

  private var hasWork: Bool {
    options.hasWalk || !options.scripts.isEmpty || options.searchIndexes != nil
      || watches.contains { !$0.names.isEmpty || foundNames[$0.name]?.isEmpty == false }
  }

  /// Sleeps, until somebody wakes it.
  private func rest(_ seconds: Double) async {
    let sleep = Task { _ = try? await Task.sleep(for: .seconds(seconds)) }
    resting = sleep
    await Self.outcome(of: sleep)
  }

  private static func seconds(since time: NIODeadline) -> Double {
    Double((NIODeadline.now() - time).nanoseconds) / 1e9
  }

  /// A pass in a task of its own, which gives back at its end what memory it took: a thousand scans mostly rest.
  private func passApart(at place: KeyPlace, _ started: NIODeadline) async throws(RedisError) {
    let work = Task { () -> RedisError? in
      do throws(RedisError) { try await pass(at: place, started) } catch { return error }
      return nil
    }
    await place.link.beginPass()
    let failure = await Self.outcome(of: work)
    await place.link.endPass()
    if let failure { throw failure }
  }

  /// Waits for a task of its own, which is cancelled with the one that waits.
  private static func outcome<Value: Sendable>(of task: Task<Value, Never>) async -> Value {
    await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
  }

  private func pass(at place: KeyPlace, _ started: NIODeadline) async throws(RedisError) {
    let server = try await server(at: place)
    if server.hasOneDatabase, let pattern = watches.flatMap({ $0.globs + $0.names }).first(where: { $0.database != 0 })
    {
      let reason = "a pattern names db\(pattern.database), and only clusters of Valkey 9 have further databases"
      complaints.tell("databases", "keys of another database are looked for in db0", reason: reason, at: place)
    }
    try await lookUp(at: place, server)
    if options.hasWalk { try await walk(at: place, server) }
    if options.hasWalk || !options.isOfWorkload {
      place.cost.notePass(seconds: Self.seconds(since: started), ended: .now)
    }
  }

  private func server(at place: KeyPlace) async throws(RedisError) -> KeyServer {
    if options.isCluster { routes = try await place.readRoutes() }
    return try await place.readServer(options)
  }

  // MARK: By name

  private func names(of watch: any KeyWatch, on server: KeyServer) -> [KeyName] {
    let named = watch.names.map { KeyName(database: server.hasOneDatabase ? 0 : $0.database, bytes: $0.bytes) }
    guard let found = foundNames[watch.name] else { return Array(named.prefix(watch.nameLimit)) }
    return found.union(named).sorted().prefix(watch.nameLimit).map { $0 }
  }

  private func lookUp(at place: KeyPlace, _ server: KeyServer) async throws(RedisError) {
    guard
      !options.scripts.isEmpty || options.searchIndexes != nil
        || watches.contains(where: { !names(of: $0, on: server).isEmpty })
    else { return }
    let started = NIODeadline.now()
    let pass = KeyPass(server: server, isByName: true)
    var runs: [any WatchRun] = []
    var wanted: [KeyQuestion] = []
    for watch in watches {
      let names = names(of: watch, on: server)
      guard !names.isEmpty, let run = watch.run(pass) else { continue }
      wanted += names.map { KeyQuestion(run: runs.count, key: $0) }
      runs.append(run)
    }
    for isRetry in [false, true] where !wanted.isEmpty {
      if isRetry { routes = try await place.readRoutes() }
      var elsewhere: [KeyQuestion] = []
      for database in Set(wanted.map(\.key.database)).sorted() {
        for (node, questions) in routes.split(wanted.filter { $0.key.database == database }, by: \.key.bytes) {
          elsewhere += try await place.ask(questions, at: node, &runs, complaints)
        }
      }
      wanted = options.isCluster ? elsewhere : []
    }
    let scripts = await place.run(options.scripts, readsOnly: options.scriptsReadOnly, complaints)
    var indexes: [SearchIndexReport] = []
    if let matches = options.searchIndexes { indexes = try await place.readSearchIndexes(matches, complaints) }
    guard place === self.place else { throw Self.moved }
    results.searchIndexes = indexes
    results.byName = WholePass(runs, started)
    results.scripts = scripts
    results.answeredAt = .now()
    if !options.isOfWorkload {
      place.cost.noteLookups(ended: .now)
      show(place, results)
    }
  }

  /// Repeats the look-ups while a long walk is under way.
  private func lookUpIfDue(at place: KeyPlace) async throws(RedisError) {
    guard let ended = results.byName?.endedAt, Self.seconds(since: ended) >= options.intervalSeconds else { return }
    try await lookUp(at: place, try await server(at: place))
  }

  private static var moved: RedisError { RedisError(.closed, "keys are looked at elsewhere from now on") }

  // MARK: Walks

  private func walk(at place: KeyPlace, _ server: KeyServer) async throws(RedisError) {
    let started = NIODeadline.now()
    results.firstWalk.begin(at: started)
    let pass = KeyPass(server: server, isByName: false, startedSeconds: started.seconds)
    let runs = watches.compactMap { $0.run(pass, after: results.walk?.run(of: $0.name)) }
    let databases = runs.contains { $0.watch.meetsEveryKey } ? try await place.databases(options, server) : []
    let plan = KeyPlan(runs.map(\.watch), hasOneDatabase: server.hasOneDatabase, databases: databases)
    var walk = KeyWalk(runs, server, pace: ScanPace(options.scanCount))
    place.cost.noteProgress(0)
    for part in plan.walks {
      guard server.hasKeys(part.database) else {
        walk.enter(part)
        continue
      }
      for node in routes.nodes { try await scan(part, at: place, node, &walk) }
    }
    let whole = WholePass(walk.runs, started)
    for run in whole.runs {
      if let notice = run.notice {
        complaints.tell(notice.kind, "\(notice.message)", reason: notice.reason, at: place)
      }
    }
    if !walk.hasOmittedNames { complaints.end("names", at: place) }
    results.walk = whole
    results.refusedWalk = nil
    results.firstWalk.complete()
    if walk.runs.contains(where: { $0.watch.meetsEveryKey }) {
      place.cost.noteGroups(seconds: Self.seconds(since: started))
    }
  }

  /// One walk over a database of one node.
  private func scan(
    _ part: KeyPlan.Walk, at place: KeyPlace, _ node: Endpoint?, _ walk: inout KeyWalk
  ) async throws(RedisError) {
    var cursor: [UInt8] = [UInt8(ascii: "0")]
    repeat {
      guard place === self.place else { throw Self.moved }
      guard let page = try await place.step(cursor, part, at: node, &walk, complaints) else {
        // What a workload keeps is known whole or not at all. Flags may name a database that is not there.
        guard options.isOfWorkload else { return }
        throw RedisError(.permission, "the server refuses SCAN, or has no database \(part.database)")
      }
      cursor = page.cursor
      walk.enter(part)
      place.cost.scannedCount.add(Double(page.names.count))
      let wanted = walk.sort(page.names, of: part)
      if let type = part.type, !walk.server.knowsScanTypes {
        walk.meet(try await place.filter(wanted, type: type, at: node, part.database))
      } else {
        walk.meet(wanted)
      }
      _ = try await place.ask(walk.takeQuestions(), at: node, &walk.runs, complaints)
      results.answeredAt = .now()
      if !options.isOfWorkload {
        try await lookUpIfDue(at: place)
        if walk.progress.note(scanned: page.names.count, at: .now()) {
          place.cost.noteProgress(walk.progress.ratio)
          show(place, results)
        }
      }
    } while cursor != [UInt8(ascii: "0")]
  }
}
