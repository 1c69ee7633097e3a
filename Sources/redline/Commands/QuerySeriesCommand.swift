import Alerting
import ArgumentParser
import PromQL
import Runtime

/// Evaluates queries over a file of series, and rules before: what the end-to-end tests hold against Prometheus.
///
/// The file has a series in promtool's notation on each line. Rules are evaluated as if the samples came in one by one,
/// and what they record, `ALERTS` among it, is there for the queries. These come on standard input, one on each line,
/// and are evaluated over the whole time; each answer is a line of JSON with `result`, a matrix as the HTTP API gives
/// it, or `error`.
struct QuerySeriesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "query-series", shouldDisplay: false)

  @Argument(help: "The file of series.")
  var file: String

  @Option(help: "When the first sample of each series was taken, in seconds since the epoch.")
  var start: Int64 = 0

  @Option(help: "Seconds between two samples.")
  var interval: Int64 = 60

  @Option(help: "Seconds between two evaluations.")
  var step: Int64 = 300

  @Option(help: "A file of rules to evaluate; may be repeated.")
  var rules: [String] = []

  @Option(help: "Whose results to give.")
  var dialect = Dialect.prometheus3

  func run() throws {
    var replay = try SeriesReplay(file, start: start, interval: interval, rules: rules, dialect: dialect)
    try replay.run()
    while let text = readLine() {
      do {
        let query = try Query(text, dialect: dialect)
        let result = try query.values(
          fromMilliseconds: replay.startMilliseconds, throughMilliseconds: replay.endMilliseconds,
          stepMilliseconds: step * 1000, in: replay.store)
        guard case .matrix(let series) = result.value else { continue }
        print(JSONWriter.text { $0.object { Self.write(series, to: &$0) } })
      } catch {
        print(JSONWriter.text { $0.object { $0.field("error", "\(error)") } })
      }
    }
  }

  private static func write(_ series: [Series], to json: inout JSONWriter) {
    json.key("result")
    json.array { json in
      for series in series {
        json.object { json in
          json.key("metric")
          json.labels(series.labels)
          json.key("values")
          json.array { json in
            for sample in series.samples {
              json.array { json in
                json.number(Double(sample.timestampMilliseconds) / 1000)
                json.string("\(sample.value)")
              }
            }
          }
        }
      }
    }
  }
}
