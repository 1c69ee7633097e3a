import ArgumentParser
import Glibc
import PromQL
import Runtime

/// Evaluates queries at the end of a file of series again and again, and tells what it cost: what the benchmark of
/// rules reads.
///
/// Queries come on standard input, one on each line. The answer is a line of JSON: the value that each query gave, NaN
/// for none, the CPU seconds of one evaluation of all of them, and what the samples take in memory.
struct BenchQueriesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "bench-queries", shouldDisplay: false)

  @Argument(help: "The file of series, each in promtool's notation on a line.")
  var file: String

  @Option(help: "When the first sample of each series was taken, in seconds since the epoch.")
  var start: Int64 = 0

  @Option(help: "Seconds between two samples.")
  var interval: Int64 = 60

  @Option(help: "When to evaluate, in seconds since the epoch.")
  var time: Int64

  @Option(help: "How often to evaluate all queries.")
  var count = 10

  @Option(help: "Whose results to give.")
  var dialect = Dialect.prometheus2

  func run() throws {
    var replay = try SeriesReplay(file, start: start, interval: interval, rules: [], dialect: dialect)
    try replay.run()
    var queries: [Query] = []
    while let text = readLine() { queries.append(try Query(text, dialect: dialect)) }
    // The first round finds what later ones know.
    var values = try evaluate(queries, in: replay.store)
    let before = clock()
    for _ in 0..<count { values = try evaluate(queries, in: replay.store) }
    let seconds = Double(clock() - before) / 1_000_000 / Double(count)
    let size = replay.store.size
    print(
      JSONWriter.text { json in
        json.object { json in
          json.key("values")
          json.strings(values.map { "\($0)" })
          json.field("cpu_seconds", seconds)
          json.field("series", size.seriesCount)
          json.field("samples", size.sampleCount)
          json.field("sample_bytes", size.sampleBytes)
          json.field("index_bytes", size.indexBytes)
        }
      })
  }

  private func evaluate(_ queries: [Query], in store: SeriesStore) throws -> [Double] {
    try queries.map { query in
      guard case .vector(let samples) = try query.value(atMilliseconds: time * 1000, in: store).value else {
        throw ValidationError("\(query) gives no vector")
      }
      return samples.first?.value ?? .nan
    }
  }
}
