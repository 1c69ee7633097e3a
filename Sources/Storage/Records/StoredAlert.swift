/// The state of one alert as it must outlive the process. Times are milliseconds since 1970, by the wall clock.
public struct StoredAlert: Sendable, Equatable {
  struct Key: Hashable, Sendable {
    let rule: String
    let labels: String
  }

  /// Names the rule, in words of the caller's choice; with `labels` it is the identity. At most `StoreLimits.keyBytes`.
  public let rule: String
  /// A JSON object, written the same way each time. At most `StoreLimits.labelsBytes`.
  public let labels: String
  /// A JSON object of texts. One that is longer than `StoreLimits.annotationsBytes` is replaced by its length.
  public let annotations: String
  /// At most `StoreLimits.nameBytes`.
  public var state: String
  public var activeAtMs: Int64
  public var firedAtMs: Int64?
  public var resolvedAtMs: Int64?
  public var keepFiringSinceMs: Int64?
  public var lastSentAtMs: Int64?
  /// Of `value`: a NaN equals itself here, and 0 differs from -0.
  private(set) var valueBits: UInt64

  /// What the expression last gave, kept to the bit; it may be NaN or infinite.
  public var value: Double {
    get { Double(bitPattern: valueBits) }
    set { valueBits = newValue.bitPattern }
  }

  public init(
    rule: String, labels: String, annotations: String = "{}", value: Double, state: String, activeAtMs: Int64,
    firedAtMs: Int64? = nil, resolvedAtMs: Int64? = nil, keepFiringSinceMs: Int64? = nil, lastSentAtMs: Int64? = nil
  ) {
    self.rule = rule
    self.labels = labels
    let length = annotations.utf8.count
    self.annotations = length <= StoreLimits.annotationsBytes ? annotations : "{\"omitted_bytes\":\"\(length)\"}"
    valueBits = value.bitPattern
    self.state = state
    self.activeAtMs = activeAtMs
    self.firedAtMs = firedAtMs
    self.resolvedAtMs = resolvedAtMs
    self.keepFiringSinceMs = keepFiringSinceMs
    self.lastSentAtMs = lastSentAtMs
  }

  var key: Key { Key(rule: rule, labels: labels) }

  var isWithinLimits: Bool {
    rule.utf8.count <= StoreLimits.keyBytes && labels.utf8.count <= StoreLimits.labelsBytes
      && state.utf8.count <= StoreLimits.nameBytes
  }
}
