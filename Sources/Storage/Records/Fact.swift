/// Something the daemon must remember about a name, such as the last configuration epoch seen of a master.
public struct Fact: Sendable, Equatable {
  /// At most `StoreLimits.factBytes`.
  public let value: String
  /// When it was set to another value than before, in seconds since the epoch.
  public let changedAtSeconds: Double
}
