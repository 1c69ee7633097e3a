import Metrics
import Runtime

/// What was read of one stream.
struct WatchedStream: Sendable {
  let database: Int
  let report: StreamReport
  /// The server's clock; nil where it did not tell.
  let nowMilliseconds: Double?

  var name: StreamName { StreamName(database: database, bytes: report.name) }

  func add(into sink: inout SampleSink) {
    report.add(database: database, nowMilliseconds: nowMilliseconds, into: &sink)
  }

  /// Groups that nobody reads for although entries wait; nil where there are none.
  var finding: WorkloadOverview.Finding? {
    let left = report.groups.filter { group in
      group.consumers == 0 && ((group.lag ?? 0) > 0 || (report.lagSeconds(of: group) ?? 0) > 0)
    }
    guard !left.isEmpty else { return nil }
    let names = left.prefix(5).map { keyLabel($0.name) }.joined(separator: ", ")
    return .init(
      .warning, "Entries of the stream \(keyLabel(report.name)) wait for groups without a consumer: \(names)")
  }
}

extension WatchSummary {
  /// What a person should know of locks and circuits.
  var findings: [WorkloadOverview.Finding] {
    var all: [WorkloadOverview.Finding] = []
    if let count = locks?.withoutTTLCount, count > 0 {
      all.append(.init(.warning, count == 1 ? "A lock never expires" : "\(count) locks never expire"))
    }
    let open = (circuits ?? []).filter(\.isOpen).sorted { ($1.failures, $0.service) < ($0.failures, $1.service) }
    if !open.isEmpty {
      let names = open.prefix(5).map { "\($0.service) (\(Int(clamping: min($0.failures, 1e15))) failures)" }
      let rest = openCircuitCount > names.count ? " and \(openCircuitCount - names.count) more" : ""
      all.append(.init(.warning, "Circuits are open: \(names.joined(separator: ", "))\(rest)"))
    }
    return all
  }
}
