/// Families that come from one place and under one condition, for lists and references.
public struct FamilyGroup: Sendable {
  public struct Entry: Sendable {
    public let family: Family
    /// The flag, or flags, without which the family is absent; empty where it needs none.
    public let flag: String
    /// The first version of a server that sends it; empty where any does, or where it does not come from a server.
    public let since: String

    public init(_ family: Family, flag: String = "", since: String = "") {
      self.family = family
      self.flag = flag
      self.since = since
    }
  }

  /// What they are about, a few words.
  public let title: String
  /// When they are exported, one sentence.
  public let condition: String
  /// Each family once.
  public let entries: [Entry]

  public init(_ title: String, _ condition: String, _ entries: [Entry]) {
    self.title = title
    self.condition = condition
    self.entries = entries
  }

  public init(_ title: String, _ condition: String, families: [Family]) {
    self.init(title, condition, families.map { Entry($0) })
  }

  public var families: [Family] { entries.map(\.family) }
}
