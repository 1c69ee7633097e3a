import Config
import Logging
import Metrics
import NIOCore
import Redis
import Runtime

/// Looks at every key of one shard, again and again, with the time that samples and watches leave, and keeps the largest.
actor ShardCensus {
  /// Who is read.
  struct Target: Sendable {
    let source: KeySampleSource
    /// Of the slots that the shard has, a hash; nil without a cluster.
    let slots: Int?
  }

  private let config: KeyspaceConfig
  private let room: KeyspaceRoom
  private let complaints: ComplaintLog
  private var target: Target?
  /// Who was read last.
  private var last: Target?
  private var table: BigKeyTable
  private var pass: CensusPass?
  private var pending: [[UInt8]] = []
  private var pace = ScanPace(nil, largest: ScanPace.firstCount)
  private var task: Task<Void, Never>?
  private var resting: Task<Void, Never>?
  private var countedAt: WallTime?
  private var result = CensusResult()
  private let box = Lock(CensusResult())

  /// Passes of few keys do not follow one another at once.
  static let passSeconds = 60.0
  /// How long one shard has its turn.
  private static let sliceSeconds = 5.0
  private static let retrySeconds = 5.0

  init(_ config: KeyspaceConfig, room: KeyspaceRoom, log: Logger) {
    (self.config, self.room) = (config, room)
    complaints = ComplaintLog(log)
    table = BigKeyTable(bigBytes: Double(config.bigKeyBytes), topCount: config.topCount)
  }

  /// What is known now.
  nonisolated var newest: CensusResult { box.withLock { $0 } }

  /// - Parameter target: nil for nobody: a pass then goes on where it was once the same server may be read again.
  func aim(at target: Target?) async {
    let old = self.target
    self.target = target
    if let target, let last, target.source.place === last.source.place {
      if target.slots != last.slots { pass?.isMixed = true }
    } else if let target {
      forget()
      // Another server of the shard has the same keys, but what is known of them was read elsewhere.
      table = BigKeyTable(bigBytes: table.bigBytes, topCount: table.topCount, limit: table.limit)
      result = CensusResult()
      await last?.source.place.link.keep(false)
      await target.source.place.link.keep(true)
    }
    if let target {
      last = target
      if old?.source.place !== target.source.place { resting?.cancel() }
    }
    result.isAimed = target != nil
    show()
    if task == nil, target != nil { task = Task(priority: .utility) { await run() } }
  }

  func stop() async {
    task?.cancel()
    resting?.cancel()
    await last?.source.place.link.keep(false)
    target = nil
  }

  private func forget() {
    (pass, pending) = (nil, [])
    table.beginPass()
  }

  private func show() {
    result.table = table
    result.pass = pass
    box.withLock { [result] in $0 = result }
  }

  // MARK: Turn by turn

  private func run() async {
    // A thousand of them do not begin in step.
    await rest(Double.random(in: 0..<Self.retrySeconds))
    while !Task.isCancelled {
      guard let target else {
        await rest(Self.retrySeconds)
        continue
      }
      await room.takeCensus()
      if Task.isCancelled { return await room.passCensus() }
      var seconds = 0.0
      do throws(RedisError) {
        seconds = try await slice(target)
        complaints.end("census", "every key is looked at again", at: target.source.place)
      } catch {
        seconds = Self.retrySeconds
        fail(error, target)
      }
      table.limit = await room.censusKeyLimit(heldBytes: table.heldBytes, of: ObjectIdentifier(self))
      await room.passCensus()
      show()
      if seconds > 0 { await rest(seconds) }
    }
  }

  /// Sleeps, until somebody else is to be read.
  private func rest(_ seconds: Double) async {
    let sleep = Task { _ = try? await Task.sleep(for: .seconds(seconds)) }
    resting = sleep
    await withTaskCancellationHandler {
      await sleep.value
    } onCancel: {
      sleep.cancel()
    }
  }

  private func fail(_ error: RedisError, _ target: Target) {
    guard target.source.place === self.target?.source.place, !Task.isCancelled else { return }
    target.source.place.cost.errorCount.add(1, error.errorClass.rawValue)
    if error.errorClass == .permission { result.pause = .refused } else { result.pause = .failed }
    complaints.tell("census", "not every key can be looked at; it is tried again later", error, at: target.source.place)
    // A cursor is good for the process that gave it, whatever became of the connection: the next check says.
  }

  /// - Returns: how long to rest before the next.
  private func slice(_ target: Target) async throws(RedisError) -> Double {
    let end = NIODeadline.now().seconds + Self.sliceSeconds
    while NIODeadline.now().seconds < end {
      guard target.source.place === self.target?.source.place, !Task.isCancelled else { return 0 }
      await target.source.place.link.waitForRest()
      let now = NIODeadline.now().seconds
      guard let pass else {
        try await begin(target, at: now)
        continue
      }
      if pass.isCheckDue(at: now) {
        guard try await isStill(target) else { return Self.retrySeconds }
      }
      if pass.isOver, pending.isEmpty {
        // It is compared with what the server says at the end, too.
        guard try await isStill(target), let whole = self.pass else { return Self.retrySeconds }
        finish(whole, target, at: NIODeadline.now().seconds)
        return max(1, Self.passSeconds - (NIODeadline.now().seconds - whole.began))
      }
      try await step(target)
      show()
    }
    return 0
  }

  private func begin(_ target: Target, at now: Double) async throws(RedisError) {
    let server = try await SampledServer.read(target.source)
    guard server.replication?.role.follows != true || server.isFitReplica else {
      throw RedisError(.protocol, "the replica does not keep up with its master")
    }
    await target.source.place.link.avoidTouching(server.facts.knowsNoTouch)
    let isDue = countedAt.map { WallTime.now - $0 >= BigKey.countSeconds } ?? true
    forget()
    pass = CensusPass(server, countsElements: isDue, at: now)
    result.maxBytes = server.maxBytes
    pace = ScanPace(nil, largest: ScanPace.firstCount)
  }

  /// Whether the server still is what it was when the pass began. Where it is not the pass is dropped.
  private func isStill(_ target: Target) async throws(RedisError) -> Bool {
    let server = try await SampledServer.read(target.source)
    guard let reason = pass?.check(server, at: NIODeadline.now().seconds) else { return true }
    complaints.tell("pass", "a pass over all keys begins again", reason: reason, class: reason, at: target.source.place)
    forget()
    result.pause = .changed
    return false
  }

  private func finish(_ whole: CensusPass, _ target: Target, at now: Double) {
    table.endPass()
    result.ended = .now
    result.tookSeconds = now - whole.began
    result.lives = whole.lives
    result.isMixed = whole.isMixed
    result.omittedCount = whole.omittedCount
    result.keyCount = whole.seenCount
    result.pause = nil
    if whole.countsElements { countedAt = .now }
    pass = nil
    complaints.end("pass", at: target.source.place)
  }

  // MARK: A step

  /// Sizes of some keys, and the next names in the same write.
  private func step(_ target: Target) async throws(RedisError) {
    guard let own = pass else { return }
    let asked = take()
    // Names of one database are all asked about before those of the next come.
    let database = own.database ?? pendingDatabase
    let scansNext = pending.isEmpty && !own.isOver && (asked.isEmpty || pendingDatabase == own.database)
    var commands: [Command] = []
    var lifePlaces: [Int: Int] = [:]
    for (place, name) in asked.enumerated() {
      commands.append(KeyCommand.memoryUsage(name))
      if pass?.asksLife() == true { lifePlaces[place] = place }
    }
    for place in asked.indices where lifePlaces[place] != nil {
      lifePlaces[place] = commands.count
      commands.append(KeyCommand.remainingLife(asked[place]))
    }
    let questionCount = commands.count
    let askedDatabase = asked.isEmpty ? database : pendingDatabase
    var replies: [Reply?] = []
    var page: ScanPage?
    do throws(RedisError) {
      if scansNext { commands.append(KeyCommand.scan(own.cursor, match: nil, count: pace.count)) }
      let answer = try await target.source.place.link.timed(
        commands, to: target.source.node, database: askedDatabase ?? 0, inRest: true)
      replies = answer.replies
      pace.note(seconds: answer.seconds)
      if scansNext { page = try KeySample.page(replies.removeLast()) }
    } catch {
      guard error.errorClass == .limit, scansNext else { throw error }
      if questionCount > 0 {
        replies = try await target.source.place.link.timed(
          Array(commands.prefix(questionCount)), to: target.source.node, database: askedDatabase ?? 0, inRest: true
        ).replies
      }
      page = try await smallerPage(target, own.cursor, askedDatabase ?? 0)
    }
    guard isUnderWay(own) else { return }
    try take(page, askedDatabase, target)
    try await note(asked, replies, lifePlaces, askedDatabase ?? 0, target)
  }

  private var pendingDatabase: Int?

  /// Whether the pass is the same that it was before an answer was waited for.
  private func isUnderWay(_ own: CensusPass) -> Bool { pass?.began == own.began }

  private func take() -> [[UInt8]] {
    var bytes = 0
    var asked = pending.prefix(pace.count).prefix { name in
      bytes += name.count
      return bytes <= KeyWorkLimits.batchNameBytes
    }
    if asked.isEmpty { asked = pending.prefix(1) }
    pending.removeFirst(asked.count)
    return Array(asked)
  }

  private func take(_ page: ScanPage?, _ database: Int?, _ target: Target) throws(RedisError) {
    guard let page else { return }
    target.source.place.cost.scannedCount.add(Double(page.names.count))
    pending += page.names
    pendingDatabase = database
    pass?.advance(to: page.cursor, names: page.names.count)
  }

  /// A reply was too large: as few names as can be, and where even that is too much, what stands there is thrown away.
  private func smallerPage(_ target: Target, _ cursor: [UInt8], _ database: Int) async throws(RedisError) -> ScanPage {
    target.source.place.cost.errorCount.add(1, RedisError.Class.limit.rawValue)
    for match in [nil, []] as [[UInt8]?] {
      let scan = KeyCommand.scan(cursor, match: match, count: 1)
      do throws(RedisError) {
        let replies = try await target.source.place.link.timed(
          [scan], to: target.source.node, database: database, inRest: true
        ).replies
        let page = try KeySample.page(replies[0])
        _ = pace.noteTooLarge()
        // The empty pattern matches next to nothing: what comes is where to go on.
        if match == nil { return page }
        pass?.omit()
        return ScanPage(cursor: page.cursor, names: [])
      } catch {
        guard error.errorClass == .limit, match == nil else { throw error }
      }
    }
    throw RedisError(.limit, "the server answers with names that are too large to be read")
  }

  private func note(
    _ asked: [[UInt8]], _ replies: [Reply?], _ lifePlaces: [Int: Int], _ database: Int, _ target: Target
  ) async throws(RedisError) {
    var closer: [KeyName] = []
    let now = WallTime.now
    for (place, name) in asked.enumerated() {
      guard let reply = replies[place] else { throw RedisError(.permission, "the server refuses MEMORY USAGE") }
      // Gone by now, of another node by now, or not for this user.
      guard !reply.isError, !reply.isNull, let bytes = reply.double else { continue }
      if bytes < CloserLook.smallestBytes, let life = lifePlaces[place].flatMap({ replies[$0] }).flatMap(KeyLife.init) {
        pass?.note(life, bytes: bytes, isLarge: false)
      }
      let key = KeyName(database: database, bytes: name)
      if bytes >= CloserLook.smallestBytes {
        closer.append(key)
      } else if table.admits(bytes) {
        table.note(BigKey(key, bytes: bytes, at: now))
      }
    }
    guard !closer.isEmpty, let own = pass else { return }
    let look = CloserLook(source: target.source, countsElements: own.countsElements)
    for keys in chunks(closer, CloserLook.keyCount) {
      let found = try await look.run(keys, table)
      guard isUnderWay(own) else { return }
      for one in found {
        if let life = one.life { pass?.note(life, bytes: one.bytes, isLarge: true) }
        if let key = one.key, table.admits(key.bytes) { table.note(key) }
      }
    }
  }

  // MARK: For a sample

  /// The big keys that are known, as they are by now: what a sample adds exactly.
  ///
  /// - Parameter place: whom the sample reads.
  /// - Returns: nil where somebody else is read here, or nothing.
  func certainKeys(at place: KeyPlace) async throws(RedisError) -> CertainKeys? {
    guard let target, target.source.place === place else { return nil }
    for keys in chunks(table.keys.filter { $0.hasWholeName && $0.bytes >= table.bigBytes }, CloserLook.keyCount) {
      for (database, own) in Dictionary(grouping: keys, by: \.database) {
        let replies = try await place.link.send(
          own.flatMap {
            [
              KeyCommand.memoryUsage($0.name, samples: BigKey.sampledElements), KeyCommand.remainingLife($0.name),
            ]
          }, to: target.source.node, database: database)
        let now = WallTime.now
        for (number, key) in own.enumerated() {
          guard let reply = replies[2 * number], !reply.isError, var renewed = table[key.hash] else { continue }
          guard !reply.isNull, let bytes = reply.double else {
            table.renew(key.hash, nil)
            continue
          }
          renewed.note(sampledBytes: bytes, elementCount: nil, at: now)
          if let life = replies[2 * number + 1].flatMap(KeyLife.init), life != .gone {
            renewed.life = SampledKeys.Life(life, at: now.epochMs)
          }
          table.renew(key.hash, renewed)
        }
      }
    }
    show()
    return CertainKeys(
      largeBytes: table.certainBytes, keys: table.keys.filter { $0.bytes >= table.bigBytes },
      isWhole: result.ended != nil)
  }
}

/// What a census knows of one shard.
struct CensusResult: Sendable {
  /// Whether somebody is read.
  var isAimed = false
  var table: BigKeyTable?
  /// The pass that is under way.
  var pass: CensusPass?
  /// When the last whole pass ended; nil before the first.
  var ended: WallTime?
  var tookSeconds = 0.0
  var keyCount = 0.0
  var lives = CensusLives()
  var isMixed = false
  var omittedCount = 0
  /// Why it does not go on; nil where it does.
  var pause: KeyspaceOverview.Pause?
  /// maxmemory of the server; nil where it has none, or does not say.
  var maxBytes: Double?

  /// Not too old to be shown.
  func isFresh(at now: WallTime) -> Bool {
    guard let ended else { return false }
    return now - ended <= max(Self.staleSeconds, 3 * (tookSeconds + ShardCensus.passSeconds))
  }

  private static let staleSeconds = 3600.0
}

/// The keys of one server that a sample needs not estimate.
struct CertainKeys: Sendable {
  /// A key of so many bytes is one of them, or not met yet: it is no part of the sample.
  let largeBytes: Double
  let keys: [BigKey]
  /// Whether every key was looked at once.
  let isWhole: Bool
}
