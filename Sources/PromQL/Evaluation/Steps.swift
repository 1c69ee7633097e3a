/// The moments that an expression is evaluated at.
struct Steps: Equatable {
  let startMilliseconds: Int64
  let intervalMilliseconds: Int64
  let count: Int

  init(startMilliseconds: Int64, intervalMilliseconds: Int64, count: Int) {
    self.startMilliseconds = startMilliseconds
    self.intervalMilliseconds = intervalMilliseconds
    self.count = count
  }

  /// Up to the last step that is not past the end; none when the end is before the start.
  init(startMilliseconds: Int64, intervalMilliseconds: Int64, endMilliseconds: Int64) {
    let (span, overflows) = endMilliseconds.subtractingReportingOverflow(startMilliseconds)
    let count = overflows ? Int.max : span < 0 ? 0 : Int(min(span / intervalMilliseconds, .max - 1)) + 1
    self.init(startMilliseconds: startMilliseconds, intervalMilliseconds: intervalMilliseconds, count: count)
  }

  @inline(__always) func time(_ step: Int) -> Int64 { startMilliseconds + Int64(step) * intervalMilliseconds }
}

/// The moments of a selector behind its offset and `@`: those of the steps, shifted, or one for all of them.
struct Moments {
  private let steps: Steps
  private let offsetMilliseconds: Int64
  private let fixedMilliseconds: Int64?

  init(_ steps: Steps, fixedMilliseconds: Int64?, offsetMilliseconds: Int64) {
    self.steps = steps
    self.offsetMilliseconds = offsetMilliseconds
    self.fixedMilliseconds = fixedMilliseconds
  }

  @inline(__always) func time(_ step: Int) -> Int64 { (fixedMilliseconds ?? steps.time(step)) - offsetMilliseconds }

  var first: Int64 { time(0) }
  var last: Int64 { time(max(0, steps.count - 1)) }
  /// Every step has the same moment.
  var isFixed: Bool { fixedMilliseconds != nil }
}
