/// Families that come from one place and under one condition, for lists and references.
public struct FamilyGroup: Sendable {
  /// What they are about, a few words.
  public let title: String
  /// When they are exported, one sentence; what one of them needs besides is its own trait.
  public let condition: String
  /// Each family once.
  public let families: [Family]

  public init(_ title: String, _ condition: String, families: [Family]) {
    self.title = title
    self.condition = condition
    self.families = families
  }
}
