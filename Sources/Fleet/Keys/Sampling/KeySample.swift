import Metrics
import NIOCore
import Redis
import Runtime

/// How a sample is taken.
public struct KeySampleOptions: Sendable {
  /// Keys that are looked at, about; of servers that have no more than twice as many, all.
  public var keyCount = 20_000
  public var separators = ":"
  public var depth = 2
  public var estimate = KeyspaceEstimate.Options()

  public static let keyCounts = 1000...100_000

  public init() {}

  var template: PrefixTemplate { PrefixTemplate(separators: separators, depth: depth) }
  var windowCount: Int { max(SampleStarts.smallestCount, keyCount / SampleStarts.windowKeys) }
}

/// How far a sample is.
public struct KeySampleProgress: Sendable {
  public let seenCount: Int
  /// Keys that are going to be looked at, about.
  public let wantedCount: Int
}

/// Why a source could not be sampled.
struct KeySampleFailure: Sendable {
  let error: RedisError
  /// Whether it is no longer what it was when the sample began: restarted, flushed, failed over.
  let isChange: Bool
}

/// What came of a sample.
struct KeySampleOutcome: Sendable {
  let sample: SampledKeys
  /// What each source said before it; nil where it could not be asked.
  let servers: [SampledServer?]
  /// Why the keys of a source are not among those of the sample, by its place.
  let failures: [Int: KeySampleFailure]
  /// Windows that hold names too large to be read.
  let omittedCount: Int
  /// Commands that some server refuses, as an ACL names them.
  let refused: Set<String>
  /// Whether it was ended before all windows were looked at.
  let isCut: Bool
  /// The cursors of each stratum, for a later look at the same places; none where all keys were looked at.
  let starts: [String: [UInt64]]
}

/// Looks at a sample of the keys of some servers: random windows of SCAN, and for each of their keys size and time to live.
///
/// Each server is read over the connection and within the share of time of its ``KeyPlace``.
struct KeySample {
  private let options: KeySampleOptions
  private let sources: [KeySampleSource]
  private let isEnded: @Sendable () -> Bool
  private let progress: @Sendable (KeySampleProgress) -> Void

  private var keys: SampledKeys
  private var strata: [Stratum] = []
  private var servers: [SampledServer?] = []
  private var failures: [Int: KeySampleFailure] = [:]
  private var refused: Set<String> = []
  private var omittedCount = 0
  private var seenCount = 0
  private var wantedCount = 0
  private var isCut = false
  /// Links on which each command was sent once: before that, commands of one write may be sent apart.
  private var primed: Set<ObjectIdentifier> = []

  private struct Stratum {
    let source: Int
    let database: Int
    let hasTableBySlot: Bool
    var starts: [UInt64] = []
  }

  /// Databases of one server that are sampled, those with the most keys.
  static let databases = 64
  /// Keys that one write asks about.
  private static let batchKeys = 64
  /// Windows that one write asks for.
  private static let batchWindows = 3
  /// All databases get their turn in each: a sample that is ended early is one of all of them.
  private static let roundCount = 8
  /// Slots that one write asks for.
  private static let batchSlots = 512
  private static let wholeStepKeys = 64

  /// - Parameters:
  ///   - isEnded: whether to make do with what was seen so far.
  ///   - progress: is told from time to time.
  init(
    _ sources: [KeySampleSource], _ options: KeySampleOptions, isEnded: @escaping @Sendable () -> Bool = { false },
    progress: @escaping @Sendable (KeySampleProgress) -> Void = { _ in }
  ) {
    (self.sources, self.options, self.isEnded, self.progress) = (sources, options, isEnded, progress)
    keys = SampledKeys(options.template)
  }

  /// - Parameter starts: cursors of an earlier sample of the same servers, by stratum; others are drawn.
  mutating func run(
    at starts: [String: [UInt64]] = [:], using random: inout some RandomNumberGenerator
  ) async -> KeySampleOutcome {
    for source in sources.indices {
      do throws(RedisError) {
        let server = try await SampledServer.read(sources[source])
        await sources[source].place.link.avoidTouching(server.facts.knowsNoTouch)
        servers.append(server)
        for (database, count) in server.keyCounts.sorted(by: { $0.value > $1.value }).prefix(Self.databases) {
          strata.append(
            Stratum(source: source, database: database, hasTableBySlot: server.facts.hasTableBySlot))
          keys.strata.append(
            SampledKeys.Stratum(id: "\(server.facts.runID)/\(database)", keyTotal: count, database: database))
          if let certain = sources[source].certain { keys.know(certain, in: keys.strata.count - 1) }
        }
      } catch {
        servers.append(nil)
        fail(source, error)
      }
    }
    let total = keys.strata.reduce(0) { $0 + $1.keyTotal }
    if total <= Double(2 * options.keyCount), starts.isEmpty {
      wantedCount = Int(clamping: total)
      for stratum in strata.indices {
        await attempt(strata[stratum].source) { own throws(RedisError) in try await own.readAll(of: stratum) }
      }
    } else {
      await prepare(starts, using: &random)
      wantedCount = strata.reduce(0) { $0 + $1.starts.count * SampleStarts.windowKeys }
      for round in 0..<Self.roundCount {
        for stratum in strata.indices {
          let count = strata[stratum].starts.count
          let part = (round * count / Self.roundCount)..<((round + 1) * count / Self.roundCount)
          await attempt(strata[stratum].source) { own throws(RedisError) in
            try await own.read(own.strata[stratum].starts[part], of: stratum)
          }
        }
      }
    }
    for source in sources.indices where failures[source] == nil {
      await attempt(source) { own throws(RedisError) in try await own.compare(source) }
    }
    return outcome
  }

  private var outcome: KeySampleOutcome {
    let starts = strata.indices.reduce(into: [String: [UInt64]]()) { $0[keys.strata[$1].id] = strata[$1].starts }
    return KeySampleOutcome(
      sample: keys, servers: servers, failures: failures, omittedCount: omittedCount, refused: refused, isCut: isCut,
      starts: starts.filter { !$0.value.isEmpty })
  }

  /// What fails at one source is left out; the others go on.
  private mutating func attempt(
    _ source: Int, _ body: (inout KeySample) async throws(RedisError) -> Void
  ) async {
    guard failures[source] == nil else { return }
    do throws(RedisError) { try await body(&self) } catch { fail(source, error) }
  }

  private mutating func fail(_ source: Int, _ error: RedisError, isChange: Bool = false) {
    failures[source] = KeySampleFailure(error: error, isChange: isChange)
    for stratum in strata.indices where strata[stratum].source == source { keys.drop(stratum) }
  }

  /// Draws the places to look at.
  private mutating func prepare(
    _ known: [String: [UInt64]], using random: inout some RandomNumberGenerator
  ) async {
    let shares = SampleStarts.share(options.windowCount, among: keys.strata.map(\.keyTotal))
    for stratum in strata.indices {
      let own = strata[stratum]
      guard failures[own.source] == nil else { continue }
      if let starts = known[keys.strata[stratum].id] {
        strata[stratum].starts = starts
        continue
      }
      do throws(RedisError) {
        guard let table = own.hasTableBySlot ? SampleStarts(keyCounts: try await slots(of: own)) : SampleStarts() else {
          continue
        }
        strata[stratum].starts = (0..<shares[stratum]).map { _ in table.draw(using: &random) }
      } catch {
        fail(own.source, error)
      }
    }
  }

  /// How many keys this node has of each slot; 0 of slots of other nodes.
  private func slots(of stratum: Stratum) async throws(RedisError) -> [Double] {
    var counts: [Double] = []
    let source = sources[stratum.source]
    for slots in chunks(Array(0..<ClusterNodes.slotCount), Self.batchSlots) {
      let replies = try await source.place.link.send(
        slots.map { ["CLUSTER", "COUNTKEYSINSLOT", "\($0)"] }, to: source.node, database: stratum.database)
      for reply in replies {
        guard let reply else {
          throw RedisError(.permission, "the server refuses CLUSTER COUNTKEYSINSLOT, without which no sample is fair")
        }
        counts.append(reply.isError ? 0 : reply.double ?? 0)
      }
    }
    return counts
  }

  /// The server again: whether it still is what was looked at.
  private mutating func compare(_ source: Int) async throws(RedisError) {
    guard let before = servers[source] else { return }
    let after = try await SampledServer.read(sources[source])
    if let reason = after.invalidity(since: before) {
      return fail(source, RedisError(.protocol, reason), isChange: true)
    }
    for stratum in strata.indices where strata[stratum].source == source && !keys.strata[stratum].areAllKeys {
      let now = after.keyCounts[strata[stratum].database, default: 0]
      keys.strata[stratum].keyTotal = (keys.strata[stratum].keyTotal + now) / 2
    }
  }

  // MARK: Windows

  private struct Pending {
    let name: [UInt8]
    let window: Int32
  }

  /// Random windows.
  private mutating func read(_ starts: ArraySlice<UInt64>, of stratum: Int) async throws(RedisError) {
    var starts = starts
    var pending: [Pending] = []
    while !starts.isEmpty || !pending.isEmpty {
      guard goesOn(pending) else { return }
      let asked = take(&pending, of: stratum)
      let cursors = pending.isEmpty ? starts.prefix(Self.batchWindows) : []
      starts = starts.dropFirst(cursors.count)
      let windows = cursors.map { _ in keys.open(in: stratum) }
      let pages = try await exchange(
        asked, cursors.map { Array("\($0)".utf8) }, count: SampleStarts.windowKeys, of: stratum)
      for (window, page) in zip(windows, pages) {
        if let page { pending += page.names.map { Pending(name: $0, window: window) } } else { keys.spoil(window) }
      }
    }
  }

  /// Every key, where there are few.
  private mutating func readAll(of stratum: Int) async throws(RedisError) {
    keys.strata[stratum].areAllKeys = true
    let zero: [UInt8] = [UInt8(ascii: "0")]
    var next: [UInt8]? = zero
    var pending: [Pending] = []
    while next != nil || !pending.isEmpty {
      guard goesOn(pending) else {
        // What stands side by side in one table is a sample all the same. In one of many it is not.
        keys.strata[stratum].areAllKeys = false
        if strata[stratum].hasTableBySlot { keys.drop(stratum) }
        return
      }
      let asked = take(&pending, of: stratum)
      let cursor = pending.isEmpty ? next : nil
      let pages = try await exchange(asked, cursor.map { [$0] } ?? [], count: Self.wholeStepKeys, of: stratum)
      guard let cursor else { continue }
      let window = keys.open(in: stratum)
      if let page = pages[0] {
        pending += page.names.map { Pending(name: $0, window: window) }
        next = page.cursor == zero ? nil : page.cursor
      } else {
        keys.spoil(window)
        // The empty pattern matches next to nothing: what comes is where to go on.
        let skip = try await scan(cursor, match: [], count: 1, of: stratum)
        next = skip.cursor == zero ? nil : skip.cursor
      }
    }
    keys.settle(stratum)
  }

  /// - Returns: false once it is ended: windows that are not wholly known are left out.
  private mutating func goesOn(_ pending: [Pending]) -> Bool {
    guard isEnded() || Task.isCancelled else { return true }
    isCut = true
    for one in pending { keys.spoil(one.window) }
    return false
  }

  private mutating func take(_ pending: inout [Pending], of stratum: Int) -> [Pending] {
    // All commands of the first write must go out together for their answers to be of the same moment: one of each kind does.
    let isFirst = !pending.isEmpty && primed.insert(ObjectIdentifier(sources[strata[stratum].source].place)).inserted
    var bytes = 0
    var asked = pending.prefix(isFirst ? 1 : Self.batchKeys).prefix { one in
      bytes += one.name.count
      return bytes <= KeyWorkLimits.batchNameBytes
    }
    // A name that is larger by itself is asked about alone.
    if asked.isEmpty { asked = pending.prefix(1) }
    pending.removeFirst(asked.count)
    return Array(asked)
  }

  /// Asks about keys and for windows in one write.
  ///
  /// - Returns: a page for each window; nil for one with names that are too large to be read.
  private mutating func exchange(
    _ asked: [Pending], _ cursors: [[UInt8]], count: Int, of stratum: Int
  ) async throws(RedisError) -> [ScanPage?] {
    var commands = asked.flatMap { [KeyCommand.memoryUsage($0.name), KeyCommand.remainingLife($0.name)] }
    // The clock is read last: what a key has still to live was told before it, so that a second that has just begun is never
    // taken for the one before.
    if !asked.isEmpty { commands.append(["TIME"]) }
    let questionCount = commands.count
    let source = sources[strata[stratum].source]
    let database = strata[stratum].database
    var pages: [ScanPage?] = []
    do throws(RedisError) {
      let scans = cursors.map { KeyCommand.scan($0, match: nil, count: count) }
      let replies = try await source.place.link.send(commands + scans, to: source.node, database: database)
      note(asked, Array(replies[..<questionCount]))
      for reply in replies[questionCount...] { pages.append(try Self.page(reply)) }
    } catch {
      guard error.errorClass == .limit, !cursors.isEmpty else { throw error }
      // What is asked of keys has short answers: it is the names.
      if !asked.isEmpty {
        note(asked, try await source.place.link.send(commands, to: source.node, database: database))
      }
      pages = []
      for cursor in cursors { pages.append(try await smallPage(cursor, of: stratum)) }
    }
    source.place.cost.scannedCount.add(pages.reduce(0) { $0 + Double($1?.names.count ?? 0) })
    seenCount += asked.count
    progress(KeySampleProgress(seenCount: seenCount, wantedCount: wantedCount))
    return pages
  }

  /// As few names as can be.
  private mutating func smallPage(_ cursor: [UInt8], of stratum: Int) async throws(RedisError) -> ScanPage? {
    do throws(RedisError) { return try await scan(cursor, match: nil, count: 1, of: stratum) } catch {
      guard error.errorClass == .limit else { throw error }
      omittedCount += 1
      return nil
    }
  }

  private func scan(
    _ cursor: [UInt8], match: [UInt8]?, count: Int, of stratum: Int
  ) async throws(RedisError) -> ScanPage {
    let source = sources[strata[stratum].source]
    let replies = try await source.place.link.send(
      [KeyCommand.scan(cursor, match: match, count: count)], to: source.node, database: strata[stratum].database)
    return try Self.page(replies[0])
  }

  static func page(_ reply: Reply?) throws(RedisError) -> ScanPage {
    guard let reply else { throw RedisError(.permission, "the server refuses SCAN") }
    if let page = ScanPage(reply) { return page }
    throw reply.isError
      ? RedisError(reply: reply, to: ["SCAN"]) : RedisError(.protocol, "SCAN was answered with something else")
  }

  /// - Parameter replies: two for each key, then the server's clock.
  private mutating func note(_ asked: [Pending], _ replies: [Reply?]) {
    guard !asked.isEmpty else { return }
    let clock = replies[2 * asked.count]?.clockMilliseconds
    let now = clock.flatMap { Int64(exactly: $0) } ?? WallTime.now.epochMs
    for (place, one) in asked.enumerated() {
      let (memory, life) = (replies[2 * place], replies[2 * place + 1])
      if memory == nil { refused.insert("memory|usage") }
      if life == nil { refused.insert("pttl") }
      // Gone by now, of another node by now, or not for this user.
      if let memory, memory.isError || memory.isNull { continue }
      if let life, life.isError { continue }
      let left = life.flatMap(KeyLife.init)
      if left == .gone { continue }
      keys.add(one.name, bytes: memory?.double, life: SampledKeys.Life(left, at: now), in: one.window)
    }
  }
}
