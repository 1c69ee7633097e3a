/// Functions over how the values of a range follow one another.
enum RateFunctions {
  static let all = [
    Function("rate", [.matrix], .special { try extrapolated($0, $1, $2, isCounter: true, isRate: true) }),
    Function("increase", [.matrix], .special { try extrapolated($0, $1, $2, isCounter: true, isRate: false) }),
    Function("delta", [.matrix], .special { try extrapolated($0, $1, $2, isCounter: false, isRate: false) }),
    Function("irate", [.matrix], .perWindow { window, _ in lastStep(window, isRate: true) }),
    Function("idelta", [.matrix], .perWindow { window, _ in lastStep(window, isRate: false) }),
    Function("changes", [.matrix], .perWindow { window, _ in changes(window) }),
    Function("resets", [.matrix], .perWindow { window, _ in resets(window) }),
  ]

  private static func extrapolated(
    _ evaluation: Evaluation, _ call: Expression.Call, _ steps: Steps, isCounter: Bool, isRate: Bool
  ) throws -> Evaluation.Value {
    let dialect = evaluation.dialect
    let table = try evaluation.perWindow(call, steps) { window, _ in
      Self.extrapolated(window, isCounter: isCounter, isRate: isRate, dialect: dialect)
    }
    return .vector(table)
  }

  /// The difference of last and first value, extended to the whole range where its ends lie near enough; resets of a
  /// counter count as starts from zero.
  private static func extrapolated(_ window: Window, isCounter: Bool, isRate: Bool, dialect: Dialect) -> Double? {
    guard window.count >= 2 else { return nil }
    let (first, last) = (window.first, window.last)
    var raw = last.value - first.value
    if isCounter { raw += droppedByResets(window) }

    let sampledSeconds = Double(last.timestampMilliseconds - first.timestampMilliseconds) / 1000
    let averageSeconds = sampledSeconds / Double(window.count - 1)
    let thresholdSeconds = averageSeconds * 1.1
    var toStart = Double(first.timestampMilliseconds - window.startMilliseconds) / 1000
    var toEnd = Double(window.endMilliseconds - last.timestampMilliseconds) / 1000
    // A counter cannot have been below zero: no further back than where the line meets it.
    let toZero = isCounter && raw > 0 && first.value >= 0 ? sampledSeconds * (first.value / raw) : Double.infinity
    switch dialect {
    case .prometheus3:
      if toStart >= thresholdSeconds { toStart = averageSeconds / 2 }
      toStart = min(toStart, toZero)
    case .prometheus2:
      toStart = min(toStart, toZero)
      if toStart >= thresholdSeconds { toStart = averageSeconds / 2 }
    }
    if toEnd >= thresholdSeconds { toEnd = averageSeconds / 2 }
    let factor = (sampledSeconds + toStart + toEnd) / sampledSeconds
    return raw * (isRate ? factor / window.rangeSeconds : factor)
  }

  private static func droppedByResets(_ window: Window) -> Double {
    var dropped = 0.0
    var previous = window.first.value
    for sample in window.slice {
      if sample.value < previous { dropped += previous }
      previous = sample.value
    }
    return dropped
  }

  private static func lastStep(_ window: Window, isRate: Bool) -> Double? {
    guard window.count >= 2 else { return nil }
    let (previous, last) = (window.samples[window.indices.upperBound - 2], window.last)
    let seconds = Double(last.timestampMilliseconds - previous.timestampMilliseconds) / 1000
    let isReset = isRate && last.value < previous.value
    let difference = isReset ? last.value : last.value - previous.value
    return isRate ? difference / seconds : difference
  }

  private static func changes(_ window: Window) -> Double {
    var count = 0
    var previous = window.first.value
    for sample in window.slice {
      if sample.value != previous && !(sample.value.isNaN && previous.isNaN) { count += 1 }
      previous = sample.value
    }
    return Double(count)
  }

  private static func resets(_ window: Window) -> Double {
    var count = 0
    var previous = window.first.value
    for sample in window.slice {
      if sample.value < previous { count += 1 }
      previous = sample.value
    }
    return Double(count)
  }
}
