import Config
import Logging
import NIOCore
import Redis
import Runtime

/// Has a server of one shard name each lock and circuit as it changes, and looks up what became of it.
actor ShardFollower {
  /// Who is asked.
  struct Aim: Sendable {
    let place: KeyPlace
    let connection: ConnectionOptions
    let timeout: TimeAmount
    /// The share of the server's time.
    let dutyRatio: Double
    let facts: ServerFacts
    /// Whatever patterns say.
    let hasOneDatabase: Bool
    /// Whose data it has: another one means a failover. nil while nobody knows.
    var master: NodeAddress?

    func isSame(as other: Aim?) -> Bool { place === other?.place && master == other?.master }
  }

  /// One connection.
  private struct Session {
    /// The one that is selected.
    var database = 0
    /// The smallest round trip that was seen.
    var tripSeconds: Double?
    /// Whether what is asked about circuits is refused.
    var skipsCircuits = false
    var tracking: Tracking?
  }

  private let plan: FollowPlan
  private let totals: Lock<HoldCountTracker>
  private let context: ConnectionContext
  private let complaints: ComplaintLog
  private nonisolated let box = Lock(FollowReading())
  private nonisolated let inbox = Lock(PushInbox())
  private nonisolated let bell = Bell()

  private var aim: Aim?
  private var holds = HoldTracker()
  private var circuits = FollowedCircuits()
  /// Names of the locks that are held, to ask for them at their deadline. They are in no metric and no log.
  private var names: [Int: FollowPlan.Key] = [:]
  private var refused: String?
  private var restUntil = 0.0
  private var session = Session()
  private var task: Task<Void, Never>?

  static let batchKeys = 64
  /// What a batch takes of a server's time at most, beside each of its commands: an answer that is later than that has waited for
  /// others, and a look that waited for it would come too late.
  static let batchSeconds = 100e-6
  static let commandSeconds = 20e-6
  /// How often it is shown what is known, and looked for floods.
  static let lookSeconds = 0.5
  static let keepAliveSeconds = 3.0
  static let firstPauseSeconds = 0.5
  static let longestPauseSeconds = 30.0
  /// Nothing is followed for so long after a flood.
  static let floodRestSeconds = 600.0
  static let refusedRestSeconds = 3600.0
  /// So often the answers about a key are thrown away because it was named meanwhile.
  private static let settleLimit = 8

  init(_ plan: FollowPlan, totals: Lock<HoldCountTracker>, context: ConnectionContext, log: Logger) {
    (self.plan, self.totals, self.context) = (plan, totals, context)
    complaints = ComplaintLog(log)
  }

  /// What is known now.
  nonisolated var newest: FollowReading { box.withLock { $0 } }

  /// Asks this server from now on; nil for none.
  func aim(at aim: Aim?) {
    var aim = aim
    // A master that is too busy to be asked is the master all the same.
    if let known = self.aim, aim?.place === known.place, aim?.master == nil { aim?.master = known.master }
    let isSame = aim?.isSame(as: self.aim) ?? (self.aim == nil)
    if !isSame, aim?.place !== self.aim?.place { (restUntil, refused) = (0, nil) }
    self.aim = aim
    if task == nil { task = Task(priority: .utility) { await run() } }
    if !isSame { bell.ring() }
  }

  /// Rights may have changed.
  func reset() {
    (restUntil, refused) = (0, nil)
    bell.ring()
  }

  func stop() {
    aim = nil
    session.tracking?.close()
    task?.cancel()
    bell.ring()
  }

  private static var now: Double { NIODeadline.now().seconds }

  // MARK: Connection after connection

  private func run() async {
    var pause = Self.firstPauseSeconds
    while !Task.isCancelled {
      guard let aim, Self.now >= restUntil else {
        show()
        await bell.wait(seconds: aim == nil ? 60 : restUntil - Self.now, on: context.pollLoop)
        continue
      }
      guard aim.facts.knowsTracking else {
        complaints.tell(
          "follow", "locks and circuits are not followed, only looked for", reason: "the server is older than Redis 6",
          at: aim.place)
        restUntil = Self.now + Self.refusedRestSeconds
        continue
      }
      do throws(Tracking.Failure) {
        let tracking = try await open(aim)
        session.tracking = tracking
        refused = nil
        complaints.end("follow", "locks and circuits are followed again", at: aim.place)
        pause = Self.firstPauseSeconds
        await follow(tracking, aim)
        tracking.close()
        session.tracking = nil
        forget()
        guard aim.isSame(as: self.aim), restUntil <= Self.now, let failure = tracking.failure else { continue }
        throw Tracking.Failure(failure, refused: nil)
      } catch {
        forget()
        guard aim.isSame(as: self.aim), !Task.isCancelled else { continue }
        refused = error.refused
        aim.place.cost.node.noteFailure(error.error.errorClass)
        complaints.tell(
          "follow", "locks and circuits are not followed, only looked for", error.error, at: aim.place)
        restUntil = Self.now + (error.error.errorClass == .permission ? Self.refusedRestSeconds : pause)
        pause = min(2 * pause, Self.longestPauseSeconds)
      }
      show()
    }
    forget()
    show()
  }

  private func open(_ aim: Aim) async throws(Tracking.Failure) -> Tracking {
    let (plan, inbox, bell, cost) = (plan, inbox, bell, aim.place.cost)
    inbox.withLock { $0 = PushInbox() }
    session = Session(database: aim.connection.address.database)
    return try await Tracking.open(
      aim.connection, prefixes: plan.prefixes, courtesies: aim.facts.knowsNoTouch ? [KeyLink.noTouch] : [],
      on: context.pollLoop, in: context, deadline: .now() + aim.timeout
    ) {
      cost.note($0)
    } heard: { push in
      Self.take(push, plan, inOneDatabase: aim.hasOneDatabase, inbox)
      bell.ring()
    } ended: {
      bell.ring()
    }
  }

  private static func take(_ push: Tracking.Push, _ plan: FollowPlan, inOneDatabase: Bool, _ inbox: Lock<PushInbox>) {
    inbox.withLock { inbox in
      guard let names = push.names else { return inbox.lose() }
      inbox.count(names: names.count)
      let pushes = Pushes(at: push.seconds, doubtSeconds: push.doubtSeconds)
      for name in names {
        for key in plan.keys(named: name, inOneDatabase: inOneDatabase) { inbox.add(key, pushes) }
      }
    }
  }

  // MARK: What is named

  private func follow(_ tracking: Tracking, _ aim: Aim) async {
    var duty = DutyCycle(ratio: aim.dutyRatio)
    var flood = FloodGauge()
    var (lookedAt, askedAt, movedAt) = (0.0, Self.now, Self.now)
    holds.begin(at: Self.now)
    while tracking.failure == nil, aim.isSame(as: self.aim), !Task.isCancelled {
      let now = Self.now
      if inbox.withLock({ $0.takeLoss() }) { forget() }
      if now - lookedAt >= Self.lookSeconds {
        lookedAt = now
        if flood.note(inbox.withLock { $0.takeNameCount() }, at: now) { return noteFlood(at: aim.place) }
        show(isFollowing: true)
      }
      if now - movedAt >= 60 {
        movedAt = now
        if await tracking.hasMoved(aim.connection.address.endpoint, in: context) { return }
      }
      let wanted = takeWanted(at: now)
      guard !wanted.isEmpty || now - askedAt >= Self.keepAliveSeconds else {
        let next = min(lookedAt + Self.lookSeconds, holds.nextDue ?? .infinity)
        await bell.wait(seconds: next - now, on: context.pollLoop)
        continue
      }
      let owed = duty.waitSeconds(at: now)
      if owed > 0 { try? await Task.sleep(for: .seconds(owed)) }
      let busy = await lookUp(wanted, tracking, aim)
      askedAt = Self.now
      duty.note(busySeconds: busy, at: askedAt)
      // Walks wait for what this took; what this owes, it waits for by itself.
      await aim.place.link.charge(busySeconds: busy)
    }
  }

  private struct Wanted {
    let key: FollowPlan.Key
    /// nil for what is due by itself.
    var pushes: Pushes?
    var replies: [[Reply?]] = []
  }

  private func takeWanted(at now: Double) -> [Wanted] {
    var wanted = inbox.withLock { $0.take(Self.batchKeys) }.map { Wanted(key: $0.key, pushes: $0.pushes) }
    if session.skipsCircuits { wanted.removeAll { $0.key.kind == .circuit } }
    for hash in holds.takeDue(at: now, limit: Self.batchKeys) {
      guard let key = names[hash], !wanted.contains(where: { $0.key == key }) else { continue }
      wanted.append(Wanted(key: key, pushes: nil))
    }
    return wanted.sorted { $0.key.name.database < $1.key.name.database }
  }

  /// - Returns: the server's share of the time that it took, in seconds.
  private func lookUp(_ wanted: [Wanted], _ tracking: Tracking, _ aim: Aim) async -> Double {
    var wanted = wanted
    var busy = 0.0
    while true {
      var commands: [Command] = []
      var places: [(key: Int, range: Range<Int>)] = []
      var at = session.database
      for (index, one) in wanted.enumerated() {
        let next = questions(about: one)
        guard !next.isEmpty else { continue }
        if one.key.name.database != at {
          at = one.key.name.database
          commands.append(["SELECT", "\(at)"])
        }
        places.append((index, commands.count..<(commands.count + next.count)))
        commands += next
      }
      if commands.isEmpty {
        guard wanted.isEmpty else { break }
        commands = [Self.ping]
      }
      let answers = await tracking.ask(commands, deadline: .now() + aim.timeout)
      let seconds = Double((answers.ended - answers.sent).nanoseconds) / 1e9
      session.tripSeconds = min(session.tripSeconds ?? seconds, seconds)
      let charged = min(
        KeyLink.charged(seconds, tripSeconds: session.tripSeconds),
        Self.batchSeconds + Double(commands.count) * Self.commandSeconds)
      aim.place.cost.note(commands, busySeconds: charged)
      busy += charged
      guard answers.failure == nil, answers.replies.count == commands.count else {
        if answers.failure == nil { tracking.close() }
        return busy
      }
      session.database = at
      for (index, range) in places {
        wanted[index].replies.append(range.map { Self.isRefusal(answers.replies[$0]) ? nil : answers.replies[$0] })
      }
      guard !wanted.isEmpty else { break }
      noteRefusals(zip(commands, answers.replies).filter { Self.isRefusal($1) }.map(\.0), tracking, aim)
      let middle = answers.ended.seconds - seconds / 2
      note(&wanted, at: middle)
    }
    return busy
  }

  /// Without PTTL nothing is known of any lock, and each further question would be an error at the server.
  private func noteRefusals(_ commands: [Command], _ tracking: Tracking, _ aim: Aim) {
    guard let verb = commands.first?.verb else { return }
    refused = commands.first?.aclName(configCommand: nil)
    session.skipsCircuits = true
    guard commands.contains(where: { $0.verb == "PTTL" || $0.verb == "SELECT" }) else { return }
    tracking.close()
    restUntil = Self.now + Self.refusedRestSeconds
    complaints.tell(
      "follow", "locks and circuits are not followed, only looked for", reason: "the server refuses \(verb)",
      at: aim.place)
  }

  private static let ping: Command = ["PING"]

  /// What is asked next; nothing when enough is known.
  private func questions(about one: Wanted) -> [Command] {
    switch one.key.kind {
    case .lock: one.replies.isEmpty ? [KeyCommand.remainingLife(one.key.name.bytes)] : []
    case .circuit: plan.circuits?.questions(about: one.key.name.bytes, after: one.replies) ?? []
    }
  }

  private static func isRefusal(_ reply: Reply) -> Bool {
    reply.errorCode == "NOPERM" && reply.text?.contains(" access ") != true
  }

  /// Takes in what was answered in full.
  private func note(_ wanted: inout [Wanted], at now: Double) {
    var counts = false
    wanted.removeAll { one in
      guard questions(about: one).isEmpty else { return false }
      // What was named meanwhile may be in the answer already, or not: it is looked up again.
      if let later = inbox.withLock({ $0.take(one.key) }) {
        var pushes = later
        if let earlier = one.pushes { pushes.add(earlier) }
        guard pushes.count > Self.settleLimit else {
          inbox.withLock { $0.add(one.key, pushes) }
          return true
        }
        note(one.key, one.replies, pushes, at: now)
      } else {
        note(one.key, one.replies, one.pushes, at: now)
      }
      counts = true
      return true
    }
    guard counts else { return }
    let new = holds.takeCounts()
    totals.withLock { $0.add(new, at: now) }
  }

  private func note(_ key: FollowPlan.Key, _ replies: [[Reply?]], _ pushes: Pushes?, at now: Double) {
    let life = replies[0][0].flatMap(KeyLife.init)
    switch key.kind {
    case .lock:
      let hash = key.name.hashValue
      let terms = plan.terms(of: key.name, inOneDatabase: aim?.hasOneDatabase ?? false)
      holds.note(hash, pushes, life, terms: terms, at: now)
      names[hash] = holds.holds[hash] == nil ? nil : key
    case .circuit:
      guard let service = plan.circuits?.service(of: key.name.bytes) else { return }
      circuits.note(service, failures: plan.circuits?.failures(in: replies), life: life, at: now)
    }
  }

  // MARK: What is known

  private func forget() {
    holds.begin(at: Self.now)
    circuits = FollowedCircuits()
    names = [:]
  }

  private func noteFlood(at place: KeyPlace) {
    complaints.tell(
      "follow", "locks and circuits are not followed, only looked for",
      reason: "more than \(Int(FloodGauge.namesPerSecond)) names a second came; it is tried again in 10 minutes",
      at: place)
    restUntil = Self.now + Self.floodRestSeconds
  }

  private func show(isFollowing: Bool = false) {
    var reading = FollowReading()
    reading.isFollowing = isFollowing
    reading.refused = refused
    aim?.place.cost.noteFollowRefused(refused)
    if isFollowing {
      let now = Self.now
      reading.heldLongCount = holds.heldLongCount(at: now)
      reading.longestSeconds = holds.longestSeconds(at: now)
      reading.lastingCount = holds.lastingCount
      reading.circuits = circuits
      reading.heldCount = holds.holds.count
      reading.oldest = holds.oldest(FollowReading.oldestLimit).map { hash, hold in
        FollowReading.Lock(
          hash: hash, seconds: now - hold.since, isWhole: hold.isWhole,
          leftSeconds: hold.deadline.map { max(0, $0 - now) })
      }
    }
    box.withLock { [reading] in $0 = reading }
  }
}
