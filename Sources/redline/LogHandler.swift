import Config
import Glibc
import Logging
import Runtime

/// Writes each message as one line on standard error, by way of ``LogQueue``: no caller waits for its reader.
struct LineLogHandler: LogHandler {
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?
  let format: LogFormat

  init(_ options: LogOptions) {
    format = options.format
    logLevel =
      switch options.level {
      case .debug: .trace
      case .info: .info
      case .warning: .warning
      case .error: .error
      }
  }

  /// Makes every logger of the process write by these options. To be called once, before the first logger.
  static func bootstrap(_ options: LogOptions) {
    LogQueue.standardError.use(options.format)
    LoggingSystem.bootstrap { _ in LineLogHandler(options) }
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var all = metadata
    if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
    if let own = event.metadata { all.merge(own) { _, new in new } }
    if let error = event.error { all["error"] = "\(error)" }
    // Servers, files and libraries write into the log what they were given.
    let fields = all.map { (name: $0.key, value: KnownSecrets.masked($0.value.description, sparesWords: true)) }
      .sorted { $0.name < $1.name }
    LogQueue.standardError.write(
      format.line(
        time: .now(), level: Self.word(event.level),
        message: KnownSecrets.masked(event.message.description, sparesWords: true),
        fields: fields))
  }

  private static func word(_ level: Logger.Level) -> String {
    switch level {
    case .trace, .debug: "debug"
    case .info, .notice: "info"
    case .warning: "warn"
    case .error, .critical: "error"
    }
  }
}

extension Timestamp {
  /// The wall clock, to the millisecond.
  static func now() -> Timestamp {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(epochMs: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }
}
