import NIOCore

/// What a resolver knows of names, and which it looks up next. Time is a parameter; nothing here waits.
struct NameCache {
  /// A look-up that took this long makes its name a slow one.
  static let slowness = TimeAmount.seconds(2)
  /// How long a name waits for a thread; who asked for it has given up by then.
  static let lineLimit = TimeAmount.seconds(10)

  enum Step: Equatable {
    case known(NameResolver.Answer)
    /// A look-up is in line or under way; what was known before, if anything.
    case wait(last: [String])
  }

  private struct Entry {
    var addresses: [String] = []
    var expires = NIODeadline.uptimeNanoseconds(0)
    var lastUse: NIODeadline
    var isLookedUp = false
    var isSlow = false
  }
  private struct Waiting {
    let name: String
    let since: NIODeadline
    let isSlow: Bool
  }

  private let threadCount: Int
  private let waitingLimit: Int
  private let nameLimit: Int
  private let lifetime: TimeAmount
  private var entries: [String: Entry] = [:]
  private var line: [Waiting] = []
  private var running: [String: Bool] = [:]
  private var dropped: [String] = []

  init(
    threadCount: Int, waitingLimit: Int, nameLimit: Int, lifetime: TimeAmount = .seconds(NameResolver.lifetimeSeconds)
  ) {
    self.lifetime = lifetime
    self.threadCount = threadCount
    self.waitingLimit = waitingLimit
    self.nameLimit = nameLimit
  }

  var count: Int { entries.count }

  /// What a name's asker does; a look-up joins the line when one is due.
  mutating func ask(_ name: String, now: NIODeadline) -> Step {
    var entry = entries[name] ?? Entry(lastUse: now)
    entry.lastUse = now
    defer { if entry.isLookedUp || !entry.addresses.isEmpty { keep(name, entry) } }
    if !entry.addresses.isEmpty, entry.expires > now { return .known(.addresses(entry.addresses)) }
    if !entry.isLookedUp {
      guard line.count < waitingLimit else {
        return .known(entry.addresses.isEmpty ? .crowded : .addresses(entry.addresses))
      }
      entry.isLookedUp = true
      line.append(Waiting(name: name, since: now, isSlow: entry.isSlow))
    }
    return .wait(last: entry.addresses)
  }

  /// Makes room where there is none: names whose look-up is due or under way stay.
  private mutating func keep(_ name: String, _ entry: Entry) {
    if entries[name] == nil, entries.count >= nameLimit,
      let oldest = entries.filter({ !$0.value.isLookedUp }).min(by: { $0.value.lastUse < $1.value.lastUse })
    {
      entries[oldest.key] = nil
    }
    entries[name] = entry
  }

  /// The next name to look up, when a thread is free for it.
  mutating func next(now: NIODeadline) -> String? {
    let late = line.prefix { now - $0.since > Self.lineLimit }
    for waiting in late {
      dropped.append(waiting.name)
      entries[waiting.name]?.isLookedUp = false
    }
    line.removeFirst(late.count)
    guard running.count < threadCount else { return nil }
    let hasSlowThread = running.values.count { $0 } < max(1, threadCount / 2)
    guard let index = line.firstIndex(where: { !$0.isSlow || hasSlowThread }) else { return nil }
    let waiting = line.remove(at: index)
    running[waiting.name] = waiting.isSlow
    return waiting.name
  }

  /// Those that waited too long, since it was last asked for them.
  mutating func takeDropped() -> [String] {
    defer { dropped = [] }
    return dropped
  }

  mutating func finish(_ name: String, _ found: [String], began: NIODeadline, now: NIODeadline) {
    running[name] = nil
    guard var entry = entries[name] else { return }
    entry.isLookedUp = false
    entry.isSlow = now - began >= Self.slowness
    if !found.isEmpty {
      entry.addresses = found
      entry.expires = now + lifetime
    }
    entries[name] = entry
  }

  /// The last addresses of a name, however old.
  func lastAnswer(for name: String) -> NameResolver.Answer? {
    entries[name].flatMap { $0.addresses.isEmpty ? nil : .addresses($0.addresses) }
  }
}
