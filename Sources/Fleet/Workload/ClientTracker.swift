import Runtime

/// How many clients were connected to each member over the last minutes.
struct ClientTracker: Sendable {
  private struct Sample: Sendable {
    let moment: WallTime
    let count: Int
  }

  static let keptSeconds = 180.0
  static let sampleLimit = 64

  /// By `instance`, oldest first.
  private var samples: [String: [Sample]] = [:]

  /// - Parameter moment: when the poll ended; one that is known already changes nothing.
  mutating func note(_ count: Int, of instance: String, at moment: WallTime) {
    if let last = samples[instance]?.last, last.moment >= moment { return }
    Self.add(Sample(moment: moment, count: count), to: &samples[instance, default: []])
  }

  private static func add(_ sample: Sample, to own: inout [Sample]) {
    own.append(sample)
    // The newest of what is too old is what was true at the beginning of the rest.
    let oldCount = own.prefix { sample.moment - $0.moment > keptSeconds }.count
    own.removeFirst(max(0, oldCount - 1, own.count - sampleLimit))
  }

  mutating func forget(allBut instances: Set<String>) { samples = samples.filter { instances.contains($0.key) } }

  /// The counts as they were at a moment: of each member the newest before it.
  func counts(at moment: WallTime) -> [String: Int] {
    samples.compactMapValues { own in own.last { $0.moment <= moment }?.count }
  }

  /// The newest counts since a moment; members that have not answered since are missing.
  func counts(since moment: WallTime) -> [String: Int] {
    samples.compactMapValues { own in own.last.flatMap { $0.moment > moment ? $0.count : nil } }
  }
}
