/// How long ago the last good run of each check may be, `objectives.verified` in the file. Nil for those that nobody asks for:
/// without an explicit objective nothing is overdue.
public struct VerifiedObjectives: Sendable, Equatable {
  public var backup: Duration?
  public var failover: Duration?
  public var load: Duration?

  init() {}

  /// The objectives that `verified` of a mapping gives, the base's where it does not.
  init(in objectives: MappingReader, base: VerifiedObjectives) {
    self =
      objectives.mapping(
        "verified",
        "How old results of checks may get; see `redline backup verify`, `redline drill` and `redline load`."
      ) { fields in
        func age(_ key: String, _ base: Duration?, _ meaning: String) -> Duration? {
          fields.value(key, .duration(.extended, .atLeast(.seconds(1))), or: "off", default: base, meaning)
        }
        var verified = VerifiedObjectives()
        verified.backup = age("backup", base.backup, "Longest time since a backup was loaded and found good.")
        verified.failover = age("failover", base.failover, "Longest time since a failover drill went well.")
        verified.load = age("load", base.load, "Longest time since a load test went well.")
        return verified
      } ?? base
  }
}
