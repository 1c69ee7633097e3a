/// How a fleet stands, for somebody who reads nothing else: `sessions is critical for 14 s: no master answers. 2 of 3 workloads
/// are healthy.`
public struct FleetSentence: Sendable {
  /// What is to be said of one workload.
  public struct Standing: Sendable {
    let name: String
    let state: TopologyPage.State
    let ageSeconds: Double?
    /// The worst that is found of it; nil for nothing.
    let reason: String?

    /// - Parameters:
    ///   - ageSeconds: how long it has been in that state; nil where that is not known.
    ///   - findings: those of its setup are no reason.
    public init(
      _ name: String, _ state: TopologyPage.State, ageSeconds: Double?, findings: [TopologyPage.Finding]
    ) {
      (self.name, self.state, self.ageSeconds) = (name, state, ageSeconds)
      reason = WorkloadCard.ranked(findings.filter { !$0.isPosture }).first?.text
    }
  }

  /// What is said of a state with that state, and what is said beside it.
  private let parts: [(text: String, state: TopologyPage.State?)]

  public init(_ standings: [Standing]) {
    let ranked = standings.sorted { ($1.state, $0.name) < ($0.state, $1.name) }
    let sick = ranked.filter { $0.state != .healthy }
    guard let first = sick.first else {
      parts =
        switch (ranked.first, ranked.count) {
        case (nil, _): [("No workload is watched.", nil)]
        case (let only?, 1): [("\(clipped(only.name)) is healthy.", .healthy)]
        case (_, let count): [("All \(count) workloads are healthy.", .healthy)]
        }
      return
    }
    let said = "\(clipped(first.name)) is \(first.state.rawValue)\(first.ageSeconds.map { " for \(span($0))" } ?? "")"
    var parts: [(String, TopologyPage.State?)] =
      first.reason.map { clipped($0, to: 300) }.map { reason in
        [("\(said):", first.state), (reason.hasSuffix(".") ? reason : "\(reason).", nil)]
      } ?? [("\(said).", first.state)]
    parts += sick.dropFirst().prefix(2).map { ("\(clipped($0.name)) is \($0.state.rawValue).", $0.state) }
    if sick.count > 3 { parts.append(("\(sick.count - 3) more \(sick.count == 4 ? "is" : "are") not healthy.", nil)) }
    let healthy = ranked.count - sick.count
    if ranked.count > 1 {
      parts.append(("\(healthy) of \(ranked.count) workloads \(healthy == 1 ? "is" : "are") healthy.", nil))
    }
    self.parts = parts
  }

  public var text: String { parts.map(\.text).joined(separator: " ") }

  var html: HTML {
    let shown: [HTML] = parts.map { part in
      part.state.map { "<b class=\"\($0.level.style)\">\(part.text)</b>" } ?? HTML(text: part.text)
    }
    return "<p class=\"lead\">\(HTML.joined(Array(shown.flatMap { [" ", $0] }.dropFirst())))</p>\n"
  }
}

extension TopologyPage.Workload {
  public var standing: FleetSentence.Standing { .init(name, state, ageSeconds: stateAgeSeconds, findings: findings) }
}
