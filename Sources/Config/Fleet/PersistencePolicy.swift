/// How the masters of a workload must persist.
public struct PersistencePolicy: Sendable, Equatable {
  public enum AOF: String, Sendable, CaseIterable {
    /// `appendonly no`.
    case off
    /// `appendonly yes` with this or a stricter `appendfsync`.
    case everysec, always
  }

  /// Whether RDB files are to be saved by `save` points; nil when it is not judged, `any` in the file.
  public let isRDBOn: Bool?
  /// Nil when it is not judged, `any` in the file.
  public let aof: AOF?

  init(isRDBOn: Bool?, aof: AOF?) {
    self.isRDBOn = isRDBOn
    self.aof = aof
  }

  init(_ fields: MappingReader, base: PersistencePolicy) {
    isRDBOn = fields.value(
      "rdb", .bool, or: "any", default: base.isRDBOn, "Whether `save` points must be set; `any` is not judged.")
    aof = fields.value(
      "aof", .oneOf(AOF.self, noun: "an AOF mode"), or: "any", default: base.aof,
      "The append-only file: off, or on with this or a stricter `appendfsync`; `any` is not judged.")
  }
}
