/// How `redline backup verify` comes to a workload's backup, and how fast it must load: `backup` of a workload.
public struct BackupConfig: Sendable, Equatable {
  /// In bytes.
  static let commandLimit = 4096

  /// An RDB file, or the folder of an append-only file with its manifest.
  public var file: String?
  /// What fetches the backup, as a line for `sh -c`; `{}` in it is the path to write to.
  public var command: String?
  /// The server that loads it; nil looks for one along `PATH`.
  public var serverBinary: String?
  /// How long a restore may take.
  public var maxLoad: Duration = .seconds(600)

  public init() {}

  init(_ fields: MappingReader) {
    file = fields.optional(
      "file", .nonEmptyString,
      "What `redline backup verify` loads: an RDB file, or the folder of an append-only file with its manifest.")
    command = fields.optional(
      "command", .oneLine(upToBytes: Self.commandLimit),
      "What fetches the backup instead, by `sh -c`, such as from S3; `{}` in it is the path to write to.")
    serverBinary = fields.optional(
      "server_binary", .nonEmptyString,
      "The `redis-server` or `valkey-server` that loads it; it must be of the same product, and no older.",
      shown: "found along `PATH`")
    maxLoad = fields.value(
      "max_load", .duration(), default: maxLoad, "The longest that a restore may take; a slower one is a finding.")
    if file != nil, command != nil {
      fields.report("command", problem: "conflicts with file", hint: "keep one of them")
    }
    if let command, !command.contains("{}") {
      fields.report("command", problem: "does not say where the backup goes", hint: "write {} for the path, as in > {}")
    }
  }
}
