import PromQL
import Runtime

/// The program, its settings and how much it holds.
struct StatusAnswers: Sendable {
  let program: HTTPAPI.Program
  let store: SeriesStore
  let configurationText: @Sendable () -> String

  /// Which Prometheus' API this is, for clients that choose by it what to ask for, and which program really answers.
  func buildInfo(_ parameters: APIParameters, _ answer: inout APIAnswer) throws {
    answer.data.texts([
      "version": parameters.settings.dialect == .prometheus3 ? "3.0.0" : "2.42.0",
      "revision": "redline-\(program.version)",
      "branch": "", "buildUser": "", "buildDate": "", "goVersion": program.compiler,
    ])
  }

  func runtimeInfo(_ parameters: APIParameters, _ answer: inout APIAnswer) throws {
    answer.data.object { json in
      json.field("startTime", atMilliseconds: program.startMilliseconds)
      json.field("timeSeriesCount", store.seriesCount)
      json.field("storageRetention", NumberSyntax.duration(milliseconds: store.policy.defaultMilliseconds))
    }
  }

  func configuration(_ parameters: APIParameters, _ answer: inout APIAnswer) throws {
    answer.data.texts(["yaml": configurationText()])
  }

  func flags(_ parameters: APIParameters, _ answer: inout APIAnswer) throws {
    answer.data.texts(program.flags)
  }

  /// How many series there are, and the names and labels with the most.
  func storeStatistics(_ parameters: APIParameters, _ answer: inout APIAnswer) throws {
    let text = parameters.text("limit")
    guard let limit = text.isEmpty ? 10 : Int(text), limit > 0 else {
      throw APIError(.badData, "limit must be a positive number")
    }
    var (byName, byPair): ([String: Int], [String: Int]) = ([:], [:])
    var values: [String: Set<String>] = [:]
    let all = store.series(matching: [[]])
    for (index, labels) in all.enumerated() {
      if index % 10_000 == 0, Task.isCancelled || parameters.deadline < .now {
        throw APIError(.timeout, "counting \(all.count) series took too long")
      }
      for pair in labels.pairs {
        if pair.name == Labels.metricName { byName[pair.value, default: 0] += 1 }
        byPair["\(pair.name)=\(pair.value)", default: 0] += 1
        values[pair.name, default: []].insert(pair.value)
      }
    }
    answer.data.object { json in
      json.key("headStats")
      json.object { json in
        json.field("numSeries", all.count)
        json.field("numLabelPairs", byPair.count)
      }
      json.key("seriesCountByMetricName")
      json.top(byName, limit: limit)
      json.key("labelValueCountByLabelName")
      json.top(values.mapValues(\.count), limit: limit)
      json.key("seriesCountByLabelValuePair")
      json.top(byPair, limit: limit)
    }
  }
}

extension JSONWriter {
  /// The largest counts with their names.
  fileprivate mutating func top(_ counts: [String: Int], limit: Int) {
    let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    array { json in
      for (name, count) in sorted.prefix(limit) {
        json.object { json in
          json.field("name", name)
          json.field("value", count)
        }
      }
    }
  }
}
