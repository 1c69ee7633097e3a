import Redis

/// What a target's newest poll found: the values of the `state` label.
public enum TargetState: Sendable, Equatable {
  /// No poll has ended yet.
  case unknown
  case up
  /// It answers, but is loading its dataset.
  case loading
  case failed(RedisError)

  public var isUp: Bool {
    switch self {
    case .up, .loading: true
    case .unknown, .failed: false
    }
  }

  /// The label value.
  public var name: String {
    switch self {
    case .unknown: "unknown"
    case .up: "up"
    case .loading: RedisError.Class.loading.rawValue
    case .failed(let error): error.errorClass.rawValue
    }
  }

  public var error: RedisError? {
    if case .failed(let error) = self { error } else { nil }
  }

  /// Every label value, so that each state is a series.
  static let names = ["up", "unknown"] + RedisError.Class.allCases.map(\.rawValue)
}
