import Redis

/// How long a key has still to live, as PTTL tells.
enum KeyLife: Sendable, Equatable {
  case milliseconds(Int)
  /// It never expires.
  case unlimited
  /// It is not there any more.
  case gone

  /// - Returns: nil for a reply that tells nothing.
  init?(_ reply: Reply) {
    switch reply.integer {
    case .some(-1): self = .unlimited
    case .some(-2): self = .gone
    case .some(let left) where left >= 0: self = .milliseconds(left)
    default: return nil
    }
  }
}
