/// What is logged and how.
public struct LogOptions: Sendable {
  public let level: LogLevel
  public let format: LogFormat

  init(_ flags: FlagReader) {
    guard let format = LogFormat(rawValue: flags.choice("log-format")),
      let level = LogLevel(word: flags.choice("log-level"))
    else { preconditionFailure("the flag table names a level or format that is none") }
    self.format = format
    self.level = flags.bool("debug") ? .debug : level
  }
}
