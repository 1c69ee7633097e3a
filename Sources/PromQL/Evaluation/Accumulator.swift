/// What an aggregator keeps of one group at one step.
enum Accumulator {
  case sum(KahanSum)
  case average(RunningMean)
  case count(Int)
  case extreme(Double)
  case group
  /// Welford's method.
  case variance(count: Double, mean: Double, squares: Double)
  case values([Double])

  /// Of the group's first value.
  init(_ aggregator: Aggregator, first value: Double) {
    switch aggregator {
    case .sum: self = .sum(KahanSum(value))
    case .avg: self = .average(RunningMean(first: value))
    case .count: self = .count(1)
    case .min, .max: self = .extreme(value)
    case .stddev, .stdvar: self = .variance(count: 1, mean: value, squares: value.isFinite ? 0 : .nan)
    case .quantile: self = .values([value])
    case .group, .topk, .bottomk, .countValues: self = .group
    }
  }

  @inline(__always)
  mutating func add(_ value: Double, _ aggregator: Aggregator) {
    switch self {
    case .sum(var sum):
      sum.add(value)
      self = .sum(sum)
    case .average(var mean):
      mean.add(value)
      self = .average(mean)
    case .count(let count): self = .count(count + 1)
    case .extreme(let best):
      // NaN stays only when there is nothing else.
      let isBetter = aggregator == .max ? value > best : value < best
      if isBetter || best.isNaN { self = .extreme(value) }
    case .group: break
    case .variance(let count, let mean, let squares):
      let delta = value - mean
      let newMean = mean + delta / (count + 1)
      self = .variance(count: count + 1, mean: newMean, squares: squares + delta * (value - newMean))
    case .values(var values):
      self = .group
      values.append(value)
      self = .values(values)
    }
  }

  /// - Parameter parameter: of quantile.
  func result(_ aggregator: Aggregator, _ parameter: Double) -> Double {
    switch self {
    case .sum(let sum): sum.value
    case .average(let mean): mean.value
    case .count(let count): Double(count)
    case .extreme(let best): best
    case .group: 1
    case .variance(let count, _, let squares):
      aggregator == .stddev ? (squares / count).squareRoot() : squares / count
    case .values(let values): Quantile.of(values, parameter)
    }
  }
}
