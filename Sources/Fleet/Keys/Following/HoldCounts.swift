import Metrics
import Runtime

/// What locks came to: how often they were taken, renewed and left to expire, and how long they were held.
struct HoldCounts: Sendable, Equatable {
  /// Whether the contract wants holders to give the lock back.
  struct ByRelease: Sendable, Equatable {
    var required = 0
    var other = 0

    mutating func add(_ terms: HoldTerms?) {
      if terms?.isReleaseRequired == true { required += 1 } else { other += 1 }
    }

    mutating func add(_ more: ByRelease) {
      required += more.required
      other += more.other
    }
  }

  /// Upper ends of what is counted together, in seconds.
  static let edges = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

  var acquired = ByRelease()
  var expired = ByRelease()
  var renewedCount = 0
  /// By edge; the last is beyond all.
  private(set) var held = [Int](repeating: 0, count: edges.count + 1)
  private(set) var heldSeconds = 0.0

  var heldCount: Int { held.reduce(0, +) }

  mutating func take(_ terms: HoldTerms?) { acquired.add(terms) }
  mutating func expire(_ terms: HoldTerms?) { expired.add(terms) }
  mutating func renew() { renewedCount += 1 }

  /// A hold is over.
  mutating func end(after seconds: Double) {
    held[Self.edges.firstIndex { seconds <= $0 } ?? Self.edges.count] += 1
    heldSeconds += seconds
  }

  mutating func add(_ more: HoldCounts) {
    acquired.add(more.acquired)
    expired.add(more.expired)
    renewedCount += more.renewedCount
    for place in held.indices { held[place] += more.held[place] }
    heldSeconds += more.heldSeconds
  }

  /// For how long at most this share of the holds went on, estimated within the edges around it; nil without holds, and where
  /// that is beyond the last.
  func quantile(_ share: Double) -> Double? {
    let rank = share * Double(heldCount)
    guard rank > 0 else { return nil }
    var below = 0.0
    for (place, edge) in Self.edges.enumerated() {
      let count = Double(held[place])
      if below + count >= rank {
        let start = place == 0 ? 0 : Self.edges[place - 1]
        return start + (edge - start) * (rank - below) / count
      }
      below += count
    }
    return nil
  }

  var cumulative: [Double] {
    var sum = 0
    return held.dropLast().map { count in
      sum += count
      return Double(sum)
    }
  }
}

/// The counts of a workload for as long as it is watched, and those of the last hour. Pure.
struct HoldCountTracker: Sendable {
  /// Minutes that are looked back over.
  static let minutes = 60

  private(set) var all = HoldCounts()
  /// By minute.
  private var recent: [Int: HoldCounts] = [:]

  mutating func add(_ counts: HoldCounts, at now: Double) {
    guard counts != HoldCounts() else { return }
    all.add(counts)
    let minute = Int(clamping: Int64(now / 60))
    recent[minute, default: HoldCounts()].add(counts)
    if recent.count > Self.minutes { recent = recent.filter { minute - $0.key < Self.minutes } }
  }

  /// Of the last hour.
  func lastHour(at now: Double) -> HoldCounts {
    let minute = Int(clamping: Int64(now / 60))
    return recent.reduce(into: HoldCounts()) { sum, one in
      if minute - one.key < Self.minutes { sum.add(one.value) }
    }
  }
}
