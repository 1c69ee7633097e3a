import Config
import Glibc
import Runtime
import Testing

@testable import redline

/// A daemon, or a Prometheus, that gives recorded answers.
final class RecordedDaemon {
  /// Data by path of the API, without its query.
  var answers: [String: String] = [:]
  /// Series by a part of their query: labels, and values by seconds from the beginning of the span.
  var series: [(part: String, series: [(labels: String, points: [(Double, Double)])])] = []
  /// Since when samples are kept, as the daemon remarks it; nil where nothing is missing.
  var warning: String?
  let begin: Double
  private(set) var asked: [String] = []

  init(begin: Double) { self.begin = begin }

  func answer(_ target: String) throws -> (data: JSONValue, warnings: [String]) {
    asked.append(target)
    let path = String(target.prefix { $0 != "?" })
    if path == "query_range" || path == "query" {
      let type = path == "query" ? "vector" : "matrix"
      let found = series.first { target.contains($0.part.percentEncoded()) }?.series ?? []
      let result = found.map { one in
        let points = one.points.map { "[\(begin + $0.0),\"\($0.1)\"]" }
        let values =
          path == "query" ? "\"value\":\(points.last ?? "[]")" : "\"values\":[\(points.joined(separator: ","))]"
        return "{\"metric\":{\(one.labels)},\(values)}"
      }
      let text = "{\"resultType\":\"\(type)\",\"result\":[\(result.joined(separator: ","))]}"
      return (try JSONReader.value(Array(text.utf8)), warning.map { [$0] } ?? [])
    }
    guard let text = answers[path] else {
      throw AskedServer.Failure(
        description: "404", isNotFound: true, reason: "there is no /api/v1/\(path) here")
    }
    return (try JSONReader.value(Array(text.utf8)), [])
  }

  func reader(seconds: Double, workload: String = "sessions") -> ReportReader {
    let from = WallTime(seconds: begin)
    return ReportReader(
      workload: workload, span: ReportSpan(from: from, to: from + seconds), now: from + seconds + 60,
      daemonName: "http://redline:9121", daemon: { [self] in try answer($0) })
  }
}

/// Whole reports as files beside the tests.
enum GoldenReport {
  private static let folder = String(#filePath.dropLast("RecordedDaemon.swift".count)) + "Goldens"
  /// `UPDATE_GOLDEN=1` writes what the code says now, to be looked at before it is committed.
  private static let areUpdated = processEnvironment()["UPDATE_GOLDEN"] == "1"

  static func expect(_ text: String, _ name: String, location: SourceLocation = #_sourceLocation) {
    let path = "\(folder)/\(name)"
    if areUpdated, let file = unsafe fopen(path, "w") {
      _ = unsafe fputs(text, file)
      _ = unsafe fclose(file)
    }
    let golden = SmallFile.text(path) ?? ""
    guard golden != text else { return }
    let (old, new) = (golden.split(separator: "\n"), text.split(separator: "\n"))
    let gone = old.filter { !Set(new).contains($0) }.prefix(10).map { "- \($0)" }
    let come = new.filter { !Set(old).contains($0) }.prefix(10).map { "+ \($0)" }
    Issue.record("\(name) differs:\n\((gone + come).joined(separator: "\n"))", sourceLocation: location)
  }
}
