/// A sum that keeps what rounding took (Kahan's summation as Neumaier improved it).
struct KahanSum {
  private(set) var sum: Double
  private(set) var compensation = 0.0

  init(_ sum: Double = 0) { self.sum = sum }

  @inline(__always)
  mutating func add(_ value: Double) {
    let total = sum + value
    if total.isInfinite {
      // A compensation of infinities would be NaN.
      compensation = 0
    } else if sum.magnitude >= value.magnitude {
      compensation += (sum - total) + value
    } else {
      compensation += (value - total) + sum
    }
    sum = total
  }

  mutating func scale(by factor: Double) {
    sum *= factor
    compensation *= factor
  }

  /// The compensation of an infinite sum means nothing.
  var value: Double { sum.isInfinite ? sum : sum + compensation }
}

/// A mean that does not overflow where its sum would.
struct RunningMean {
  private var total: KahanSum
  private var count = 1.0
  /// The sum would overflow, so `total` holds the mean instead.
  private var isIncremental = false

  init(first value: Double) { total = KahanSum(value) }

  mutating func add(_ value: Double) {
    count += 1
    if !isIncremental {
      var next = total
      next.add(value)
      guard next.sum.isInfinite else {
        total = next
        return
      }
      isIncremental = true
      total.scale(by: 1 / (count - 1))
    }
    total.scale(by: (count - 1) / count)
    total.add(value / count)
  }

  var value: Double {
    isIncremental ? total.sum + total.compensation : total.sum / count + total.compensation / count
  }
}
