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
        print("{\"result\":[\(series.map(Self.json).joined(separator: ","))]}")
      } catch {
        print("{\"error\":\(jsonString("\(error)"))}")
      }
    }
  }

  private static func json(_ series: Series) -> String {
    let labels = series.labels.pairs.map { "\(jsonString($0.name)):\(jsonString($0.value))" }
    let values = series.samples.map { "[\(Double($0.timestampMilliseconds) / 1000),\"\($0.value)\"]" }
    return "{\"metric\":{\(labels.joined(separator: ","))},\"values\":[\(values.joined(separator: ","))]}"
  }
}
