import ArgumentParser
import Config
import Glibc
import PromQL
import Runtime

/// Evaluates queries over a file of series: what the end-to-end tests hold against Prometheus.
///
/// The file has a series in promtool's notation on each line. Queries come on standard input, one on each line, and are
/// evaluated over the whole time; each answer is a line of JSON with `result`, a matrix as the HTTP API gives it, or
/// `error`.
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

  @Option(help: "Whose results to give.")
  var dialect = Dialect.prometheus3

  private static let sizeLimitBytes = 256 << 20

  func run() throws {
    let (store, count) = try load()
    let end = (start + interval * Int64(count)) * 1000
    while let text = readLine() {
      do {
        let query = try Query(text, dialect: dialect)
        let result = try query.values(
          fromMilliseconds: start * 1000, throughMilliseconds: end, stepMilliseconds: step * 1000, in: store)
        guard case .matrix(let series) = result.value else { continue }
        print("{\"result\":[\(series.map(Self.json).joined(separator: ","))]}")
      } catch {
        print("{\"error\":\(jsonString("\(error)"))}")
      }
    }
  }

  /// The store with the file's samples, and how many intervals they span.
  private func load() throws -> (store: SeriesStore, count: Int) {
    let text = String(decoding: try readFile(file, limitBytes: Self.sizeLimitBytes), as: UTF8.self)
    let all = try text.split(separator: "\n").map { try SeriesNotation(String($0)) }
    let store = SeriesStore(policy: .everything)
    let references = try all.map { try store.reference(to: $0.labels) }
    let origin = store.openOrigin()
    let count = all.map(\.values.count).max() ?? 0
    for index in 0..<count {
      var batch = SeriesBatch()
      for (series, reference) in zip(all, references) where index < series.values.count {
        if let value = series.values[index] { batch.append(value, to: reference) }
      }
      // A gap is one: no marker tells of its begin, as in a file that Prometheus takes in.
      _ = try store.append(
        batch, atMilliseconds: (start + interval * Int64(index)) * 1000, from: origin, isComplete: false)
    }
    return (store, count)
  }

  private static func json(_ series: Series) -> String {
    let labels = series.labels.pairs.map { "\(jsonString($0.name)):\(jsonString($0.value))" }
    let values = series.samples.map { "[\(Double($0.timestampMilliseconds) / 1000),\"\($0.value)\"]" }
    return "{\"metric\":{\(labels.joined(separator: ","))},\"values\":[\(values.joined(separator: ","))]}"
  }
}
