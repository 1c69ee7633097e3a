import Redis
import Runtime

/// A sample of keys, with all that is to be known about it.
public struct KeyspaceReport: Sendable {
  /// A server that was read.
  public struct Server: Sendable, Equatable {
    public let name: String
    /// Such as `Redis 7.0.15`; nil where it could not be asked.
    public let product: String?
    public let isReplica: Bool
    public let keyTotal: Double
    /// Why its keys are not among those of the sample.
    public let failure: String?
  }

  public let servers: [Server]
  public let estimate: KeyspaceEstimate
  /// Bytes that the servers count as keys and values; nil where one does not say.
  public let datasetBytes: Double?
  /// Windows that hold names too large to be read.
  public let omittedCount: Int
  /// Commands that some server refuses, as an ACL names them.
  public let refused: [String]
  /// Whether it was ended before it was complete.
  public let isCut: Bool
  public let beganAt: WallTime
  public let tookSeconds: Double

  /// How much of the memory that servers count all prefixes together come to; nil where that is not known.
  public var attributedRatio: Double? {
    guard let memory = estimate.memoryBytes, let datasetBytes, datasetBytes > 0 else { return nil }
    return memory / datasetBytes
  }

  /// Beyond this, single large keys were missed, or met by chance: memory is not to be trusted.
  public static let attributedRatios = 0.85...1.15
  /// Servers count more than keys as data: of less than this, the ratio says nothing.
  public static let smallestDatasetBytes = 16.0 * 1024 * 1024

  /// Whether what prefixes come to is what the servers count; nil where nobody can tell.
  public var isComplete: Bool? {
    guard let ratio = attributedRatio, let datasetBytes, datasetBytes >= Self.smallestDatasetBytes else { return nil }
    return Self.attributedRatios.contains(ratio)
  }

  init(
    _ outcome: KeySampleOutcome, of sources: [KeySampleSource], _ options: KeySampleOptions, beganAt: WallTime,
    tookSeconds: Double
  ) {
    servers = sources.indices.map { place in
      let server = outcome.servers[place]
      return Server(
        name: sources[place].name,
        product: server.map { "\($0.facts.product) \($0.facts.valkeyVersion ?? $0.facts.version)" },
        isReplica: server?.facts.role == "slave", keyTotal: server?.keyCounts.values.reduce(0, +) ?? 0,
        failure: outcome.failures[place].map { "\($0.error)" })
    }
    estimate = KeyspaceEstimate(outcome.sample, options.estimate, now: beganAt.epochMs / 1000)
    let datasets = outcome.servers.map { $0?.datasetBytes }
    datasetBytes =
      outcome.failures.isEmpty && datasets.allSatisfy { $0 != nil } ? datasets.reduce(0) { $0 + ($1 ?? 0) } : nil
    omittedCount = outcome.omittedCount
    refused = outcome.refused.sorted()
    isCut = outcome.isCut
    self.beganAt = beganAt
    self.tookSeconds = tookSeconds
  }
}
