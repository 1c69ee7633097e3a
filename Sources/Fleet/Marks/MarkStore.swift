import Config
import Logging
import Metrics
import Runtime
import Storage

/// What people and their tools marked: taken from clients, kept over restarts, counted; changes open maintenance windows.
public actor MarkStore {
  /// Why a mark was not taken.
  public enum Refusal: Error, Sendable, CustomStringConvertible {
    /// It is wrong.
    case bad(String)
    /// Too many came in.
    case tooMany

    public var description: String {
      switch self {
      case .bad(let text): text
      case .tooMany:
        "more than \(Int(MarkStore.burst)) marks came in at once, or \(Int(MarkStore.perMinute)) a minute: wait, and send one for each change"
      }
    }
  }

  /// What came of a mark.
  public struct Taken: Sendable {
    public let mark: Mark
    /// The window that it opened, as long as it is not over.
    public let window: ChangeWindow?
    public var notices: [String]
  }

  static let burst = 100.0
  static let perMinute = 10.0

  private let store: Store?
  private let registry: Registry
  private let log: Logger
  private let clock: @Sendable () -> WallTime
  private let windows: ChangeWindows

  private var config: FleetConfig
  private var marks = MarkLog()
  private var isRestored = false
  private var allowance = Allowance<Monotonic>(burst, perSecond: perMinute / 60)
  /// Where there is no store.
  private var counts: [CounterKey: Double] = [:]
  private var published: Set<String> = []

  public init(
    _ config: FleetConfig, store: Store?, registry: Registry, log: Logger,
    clock: @escaping @Sendable () -> WallTime = { .now }
  ) {
    self.init(config, store: store, registry: registry, windows: ChangeWindows(), log: log, clock: clock)
  }

  init(
    _ config: FleetConfig, store: Store?, registry: Registry, windows: ChangeWindows, log: Logger,
    clock: @escaping @Sendable () -> WallTime = { .now }
  ) {
    self.config = config
    self.store = store
    self.registry = registry
    self.windows = windows
    self.log = log
    self.clock = clock
  }

  /// Whether marks outlive the process.
  public nonisolated var isKept: Bool { store != nil }

  /// Takes over what earlier runs kept: their windows are open when it returns.
  public func start() async {
    await restore()
    publish()
  }

  public func apply(_ new: FleetConfig) {
    config = new
    publish()
  }

  private func restore() async {
    guard !isRestored else { return }
    // Later: a file that cannot be read now.
    guard let kept = store == nil ? [] : await store?.marks.load() else { return }
    isRestored = true
    marks.restore(kept.map { Mark($0) }, at: clock())
    renewWindows()
  }

  private func renewWindows() { windows.set(marks.windows(at: clock())) }

  // MARK: Taking marks

  /// Takes a mark. When it returns, it outlives the end of the process, as far as there is a file to keep it in.
  ///
  /// - Throws: why it is not taken.
  public func take(_ read: Mark.Read) async throws(Refusal) -> Taken {
    let names = config.workloads.map(\.name)
    if !read.mark.workload.isEmpty, !names.contains(read.mark.workload) {
      throw .bad(
        "tags: \"\(read.mark.workload)\" is no workload of this daemon; it has \(names.prefix(20).joined(separator: ", "))"
      )
    }
    guard allowance.take(at: .now) else { throw .tooMany }
    await restore()
    let now = clock()
    let hadWindow = windows.open(read.mark.workload, at: now) != nil
    let (mark, isNew) = marks.take(read.mark, at: now)
    var notices = read.notices
    if isNew {
      let keys = names.filter { mark.workload.isEmpty || $0 == mark.workload }.map { Self.key($0, mark.kind) }
      if let store {
        store.marks.append(StoredMark(mark), mark.event, counting: keys)
        if await !store.flush() {
          notices.append("the file of storage.path cannot be written now: in memory until it can")
        }
      } else {
        for key in keys { counts[key, default: 0] += 1 }
        notices.append("kept in memory alone: start redline with --storage.path")
      }
    } else {
      notices.append("known already")
    }
    renewWindows()
    publish()
    let window = mark.window.flatMap { $0.until > now ? $0 : nil }
    if mark.endsWindows, !hadWindow { notices.append("no maintenance window of \(mark.workload) was open") }
    if mark.window != nil, window == nil { notices.append("its maintenance window is over") }
    if isNew { tell(mark, window) }
    return Taken(mark: mark, window: window, notices: notices)
  }

  private func tell(_ mark: Mark, _ window: ChangeWindow?) {
    var metadata: Logger.Metadata = ["kind": "\(mark.kind.rawValue)", "text": "\(mark.text)"]
    if !mark.workload.isEmpty { metadata["workload"] = "\(mark.workload)" }
    if let window { metadata["maintenance_until"] = "\(EvidenceText.clock(window.until))" }
    log.info("mark", metadata: metadata)
  }

  // MARK: Showing

  /// Those that match, by their time, the newest first.
  public func newest(_ query: MarkQuery) async -> [Mark] {
    await restore()
    return marks.newest(query)
  }

  private static func key(_ workload: String, _ kind: Mark.Kind) -> CounterKey {
    CounterKey("marks_total", ["workload": workload, "kind": kind.rawValue])
  }

  private func publish() {
    let all = store.map { $0.counters.load().mapValues(\.value) } ?? counts
    var shown: Set<String> = []
    for workload in config.workloads {
      let found = Mark.Kind.allCases.map { kind in (kind, all[Self.key(workload.name, kind)]) }
      guard config.marks != nil || found.contains(where: { $0.1 != nil }) else { continue }
      shown.insert(workload.name)
      var sink = SampleSink()
      for (kind, count) in found { sink.add(MarkFamilies.total, count ?? 0, .text(kind.rawValue)) }
      registry.publish(sink.finish().with(constantLabels: workload.seriesLabels), under: Self.source(workload.name))
    }
    for name in published where !shown.contains(name) { registry.withdraw(Self.source(name)) }
    published = shown
  }

  private static func source(_ workload: String) -> String { "\(workload)/marks" }
}
