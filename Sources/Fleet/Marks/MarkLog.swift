import Runtime
import Storage

/// The marks that are kept. Pure.
struct MarkLog: Sendable {
  /// By id, the newest last.
  private(set) var marks: [Mark] = []

  static let limit = StoreLimits.marks
  static let ageSeconds = 90.0 * 86_400

  /// Takes over what an earlier run kept, below what came in meanwhile.
  mutating func restore(_ kept: [Mark], at now: WallTime) {
    let known = Set(marks.map(\.id))
    marks = (kept.filter { !known.contains($0.id) } + marks).sorted { $0.id < $1.id }
    prune(at: now)
  }

  /// - Returns: the mark with its id, and whether it is new: one that was sent twice is one.
  mutating func take(_ mark: Mark, at now: WallTime) -> (mark: Mark, isNew: Bool) {
    if let same = marks.last(where: { $0.isSame(as: mark) }) { return (same, false) }
    var mark = mark
    mark.id = max(now.epochMs, (marks.last?.id ?? 0) + 1)
    marks.append(mark)
    prune(at: now)
    return (mark, true)
  }

  private mutating func prune(at now: WallTime) {
    marks.removeAll { now - $0.at > Self.ageSeconds }
    marks.removeFirst(max(0, marks.count - Self.limit))
  }

  /// The windows of each workload that are not over.
  func windows(at now: WallTime) -> [String: [ChangeWindow]] {
    var windows: [String: [ChangeWindow]] = [:]
    for mark in marks {
      guard var window = mark.window, window.until > now else { continue }
      let ends = marks.filter { $0.endsWindows && $0.workload == mark.workload && $0.at >= mark.at && $0.id > mark.id }
      if let first = ends.map(\.at).min() { window.until = min(window.until, first) }
      if window.until > now { windows[mark.workload, default: []].append(window) }
    }
    return windows
  }

  /// Those that match, by their time, the newest first.
  func newest(_ query: MarkQuery) -> [Mark] {
    Array(
      marks.filter(query.matches).sorted { ($1.at, $1.id) < ($0.at, $0.id) }.dropFirst(query.offset).prefix(query.limit)
    )
  }
}

extension Mark {
  fileprivate func isSame(as other: Mark) -> Bool {
    var other = other
    other.id = id
    return self == other
  }
}

/// Which marks are asked for; every condition that is given must hold.
public struct MarkQuery: Sendable {
  /// Marks of all workloads are among those of each.
  public var workload: String?
  public var node: String?
  public var kind: Mark.Kind?
  /// Both included. A mark that lasts counts if any of it lies between.
  public var from: WallTime?
  public var to: WallTime?
  public var offset = 0
  public var limit = 50

  public init() {}

  func matches(_ mark: Mark) -> Bool {
    (workload.map { mark.workload == $0 || mark.workload.isEmpty } ?? true) && (node.map { mark.node == $0 } ?? true)
      && (kind.map { mark.kind == $0 } ?? true) && (from.map { (mark.until ?? mark.at) >= $0 } ?? true)
      && (to.map { mark.at <= $0 } ?? true)
  }
}
