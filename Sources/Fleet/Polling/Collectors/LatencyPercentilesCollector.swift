import Metrics
import Redis

/// Percentiles of each command's time over the server's whole life: the section Latencystats.
struct LatencyPercentilesCollector: Collector {
  let name = "latencystats"
  var families: [Family] { [Self.percentiles] }
  var readsInfoOnly: Bool { true }

  private static let percentiles = Family.summary(
    "latency_percentiles_usec",
    "Latency percentiles of the command since the start or CONFIG RESETSTAT, in microseconds; the label quantile is in percent (99, not 0.99), and averages of percentiles mean nothing (INFO latency_percentiles_usec_*).",
    labels: ["cmd"], unit: .microseconds)
  private static let prefix = Array("latency_percentiles_usec_".utf8)

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] { [] }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    let fields = poll.info.fields(inSection: InfoSection.latencyStats)
    if fields.isEmpty { return }
    let usages = poll.usages
    for field in fields {
      let name = poll.info.name(of: field)
      guard name.starts(with: Self.prefix) else { continue }
      let command = name.dropFirst(Self.prefix.count)
      guard let usage = usages[command] else { continue }
      sink.addSummary(
        Self.percentiles, [LabelValue(command)], quantiles: Self.quantiles(poll.info.value(of: field)),
        count: usage.calls, sum: usage.microseconds)
    }
  }

  /// `p50=1.003,p99.9=6.015` as pairs of `50` and 1.003.
  private static func quantiles(_ text: ArraySlice<UInt8>) -> [(quantile: LabelValue, value: Double)] {
    InfoPairs(text).compactMap { key, text in
      let percent = key.dropFirst()
      guard key.first == UInt8(ascii: "p"), parseDouble(percent) != nil, let value = parseDouble(text)
      else { return nil }
      return (LabelValue(percent), value)
    }
  }
}
