import Alerting
import PromQL
import Runtime

/// Queries over the series that are kept.
struct QueryAnswers: Sendable {
  let judging: HTTPAPI.Judging
  let limits: HTTPAPI.Limits

  /// The value of a query at one moment.
  func query(_ parameters: APIParameters, _ answer: inout APIAnswer) throws {
    let limit = try parameters.limit()
    let time = try parameters.time("time", otherwise: parameters.nowMilliseconds)
    let query = try parameters.query()
    let options = try queryOptions(parameters, answer)
    let clock = ContinuousClock.now
    let result = try query.value(atMilliseconds: time, in: judging.store, options: options)
    remark(result, of: query, &answer)
    warnOfHistory(query, from: time, through: time, parameters, &answer)
    let seconds = (ContinuousClock.now - clock) / .seconds(1)
    try write(result, atMilliseconds: time, limit: limit, seconds: seconds, parameters, &answer)
  }

  /// The values of a query from `start` through `end`, every `step`.
  func queryRange(_ parameters: APIParameters, _ answer: inout APIAnswer) throws {
    let limit = try parameters.limit()
    let (start, end) = (try parameters.time("start"), try parameters.time("end"))
    guard end >= start else { throw APIError.invalid("end", "end timestamp must not be before start time") }
    guard let step = try parameters.duration("step") else {
      throw APIError.invalid("step", "cannot parse \"\" to a valid duration")
    }
    guard step > 0 else {
      throw APIError.invalid(
        "step", "zero or negative query resolution step widths are not accepted. Try a positive integer")
    }
    guard (end - start) / step <= Int64(limits.steps) else {
      throw APIError(
        .badData,
        "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)")
    }
    let query = try parameters.query()
    let type = query.expression.type
    guard type == .scalar || type == .vector else {
      throw APIError.invalid(
        "query", "invalid expression type \"\(type.rawValue)\" for range query, must be Scalar or instant Vector")
    }
    let options = try queryOptions(parameters, answer)
    let clock = ContinuousClock.now
    let result = try query.values(
      fromMilliseconds: start, throughMilliseconds: end, stepMilliseconds: step, in: judging.store, options: options)
    remark(result, of: query, &answer)
    warnOfHistory(query, from: start, through: end, parameters, &answer)
    let seconds = (ContinuousClock.now - clock) / .seconds(1)
    try write(result, atMilliseconds: end, limit: limit, seconds: seconds, parameters, &answer)
  }

  /// The query in one style.
  func formatQuery(_ parameters: APIParameters, _ answer: inout APIAnswer) throws {
    answer.data.string(try parameters.query().formatted)
  }

  /// Redline's samples carry no exemplars; Grafana asks all the same.
  func exemplars(_ parameters: APIParameters, _ answer: inout APIAnswer) throws {
    let (start, end) = (try parameters.time("start"), try parameters.time("end"))
    guard end >= start else { throw APIError.invalid("end", "end timestamp must not be before start time") }
    _ = try parameters.query()
    answer.data.array { _ in }
  }

  private func warnOfHistory(
    _ query: Query, from start: Int64, through end: Int64, _ parameters: APIParameters, _ answer: inout APIAnswer
  ) {
    HistoryWarnings(options: parameters.settings.options, heldSince: judging.heldSinceMilliseconds)
      .warn(of: query, fromMilliseconds: start, throughMilliseconds: end, in: &answer)
  }

  private func queryOptions(
    _ parameters: APIParameters, _ answer: borrowing APIAnswer
  ) throws(APIError) -> QueryOptions {
    var options = parameters.settings.options
    options.limits.samples = min(options.limits.samples, limits.samples)
    options.limits.seconds = max(0, (parameters.deadline - .now) / .seconds(1))
    options.reservation = answer.reservation
    if let lookback = try parameters.duration("lookback_delta") {
      guard lookback > 0 else { throw .invalid("lookback_delta", "the lookback must be greater than 0") }
      options.lookbackMilliseconds = lookback
    }
    return options
  }

  private func remark(_ result: QueryResult, of query: Query, _ answer: inout APIAnswer) {
    for annotation in result.annotations {
      let text = annotation.description(in: query)
      switch annotation.level {
      case .warning: answer.warn(text)
      case .info: answer.inform(text)
      }
    }
  }

  private func write(
    _ result: QueryResult, atMilliseconds time: Int64, limit: Int, seconds: Double, _ parameters: APIParameters,
    _ answer: inout APIAnswer
  ) throws(APIError) {
    let value = result.value.limited(to: limit, &answer)
    answer.keepsReserved()
    let limit = answer.limit
    try answer.data.object { json throws(APIError) in
      json.field("resultType", value.typeName)
      json.key("result")
      try value.write(to: &json, atMilliseconds: time, within: limit)
      guard !parameters.text("stats").isEmpty else { return }
      json.key("stats")
      json.object { json in
        json.key("timings")
        json.object { json in
          json.field("evalTotalTime", seconds)
        }
        json.key("samples")
        json.object { json in
          json.field("totalQueryableSamples", result.sampleCount)
        }
      }
    }
  }
}

extension QueryValue {
  fileprivate var typeName: String {
    switch self {
    case .scalar: "scalar"
    case .string: "string"
    case .vector: "vector"
    case .matrix: "matrix"
    }
  }

  /// A matrix in the order of its labels, as Prometheus gives it, and the first `limit` series.
  fileprivate func limited(to limit: Int, _ answer: inout APIAnswer) -> QueryValue {
    switch self {
    case .scalar, .string: self
    case .vector(let samples): .vector(Array(answer.limited(samples, to: limit)))
    case .matrix(let series):
      .matrix(Array(answer.limited(series.sorted { $0.labels < $1.labels }, to: limit)))
    }
  }

  fileprivate func write(
    to json: inout JSONWriter, atMilliseconds time: Int64, within limit: AnswerLimit
  ) throws(APIError) {
    switch self {
    case .scalar(let value): json.sample(value, atMilliseconds: time)
    case .string(let text): json.sample(text, atMilliseconds: time)
    case .vector(let samples):
      try json.list(samples, within: limit) { json, sample in
        json.object { json in
          json.key("metric")
          json.labels(sample.labels)
          json.key("value")
          json.sample(sample.value, atMilliseconds: time)
        }
      }
    case .matrix(let series):
      try json.list(series, within: limit) { json, series in
        guard !series.samples.isEmpty else { return }
        json.object { json in
          json.key("metric")
          json.labels(series.labels)
          json.key("values")
          json.array { json in
            for sample in series.samples where !sample.isStale {
              json.sample(sample.value, atMilliseconds: sample.timestampMilliseconds)
            }
          }
        }
      }
    }
  }
}
