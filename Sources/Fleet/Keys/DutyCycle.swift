/// Says how long to wait between batches so that they take no more than a share of the time.
///
/// Time spent is paid from a credit that grows at `ratio` seconds a second, up to `burstSeconds`. Over any span of T
/// seconds the batches take at most `ratio` T + `burstSeconds` + the longest batch; once the burst is used up, a batch
/// that took t is followed by a wait of t (1 / `ratio` - 1). A server spends on a batch at most the time until its
/// replies are there, so the bound holds for its CPU as well, and a busy server slows the work down by itself.
struct DutyCycle: Sendable, Equatable {
  /// The share of time, more than 0, at most 1.
  let ratio: Double
  /// What may be spent at once after a long rest, so that little work is done at once.
  let burstSeconds: Double
  /// Negative while waiting is owed.
  private var creditSeconds: Double
  private var updatedSeconds = 0.0

  static let smallestRatio = 0.0001

  init(ratio: Double, burstSeconds: Double = 0.1) {
    self.ratio = ratio.isNaN ? Self.smallestRatio : min(1, max(Self.smallestRatio, ratio))
    self.burstSeconds = burstSeconds
    creditSeconds = burstSeconds
  }

  /// Takes note of a batch.
  ///
  /// - Parameters:
  ///   - seconds: from writing it until its last reply.
  ///   - now: when it ended, on a clock that only rises.
  mutating func note(busySeconds seconds: Double, at now: Double) {
    creditSeconds = credit(at: now) - max(0, seconds)
    updatedSeconds = max(now, updatedSeconds)
  }

  /// How long to wait before the next batch.
  func waitSeconds(at now: Double) -> Double { max(0, -credit(at: now) / ratio) }

  private func credit(at now: Double) -> Double {
    min(burstSeconds, creditSeconds + max(0, now - updatedSeconds) * ratio)
  }
}
