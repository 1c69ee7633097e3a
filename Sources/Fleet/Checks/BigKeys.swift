import Config
import Metrics

/// One key takes much of all memory: it is on one server however many there are, and whatever deletes or moves it stops that one.
///
/// Caches may have such keys, and streams are long by their nature.
struct BigKeyFound: Check {
  let id = "big-key"
  let group = CheckGroup.posture
  /// As in the alert RedisBigKey: of maxmemory.
  static let limitRatio = 0.1

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    guard [.session, .queue].contains(state.config.kind), let census = state.keys.census else { return }
    if census.pause == .refused { verdict.unknown("+scan +memory|usage") }
    let found = census.largestKeys.filter { $0.type != "stream" && $0.maxMemoryRatio >= Self.limitRatio }
    guard let largest = found.first else { return }
    let more =
      found.count > 1 ? ", and \(amount(Double(found.count - 1), "others", upTo: 1000)) more than a tenth each" : ""
    let what = largest.type.isEmpty ? "key" : "key (\(largest.type))"
    verdict.find(
      .warning, "A \(what) takes \(percent(largest.maxMemoryRatio)) of maxmemory of \(largest.server)\(more)")
  }
}

/// What checks ask of the passes over every key.
struct CensusReading: Sendable, Equatable {
  struct Key: Sendable, Equatable {
    let type: String
    let server: String
    let maxMemoryRatio: Double
  }

  /// Of those whose server has maxmemory, the largest first.
  var largestKeys: [Key] = []
  var pause: KeyspaceOverview.Pause?

  init(largestKeys: [Key] = [], pause: KeyspaceOverview.Pause? = nil) {
    (self.largestKeys, self.pause) = (largestKeys, pause)
  }

  init(_ census: CensusOverview) {
    largestKeys = census.keys.compactMap { key in
      key.maxMemoryRatio.map { Key(type: key.type, server: key.server, maxMemoryRatio: $0) }
    }
    pause = census.pause
  }
}
