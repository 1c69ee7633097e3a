/// How severe a message must be to be logged.
public enum LogLevel: String, Sendable, CaseIterable {
  case debug = "DEBUG"
  case info = "INFO"
  case warning = "WARN"
  case error = "ERROR"

  /// The words that name a level; WARNING is WARN.
  static let words = ["DEBUG", "INFO", "WARN", "WARNING", "ERROR"]

  init?(word: String) {
    self.init(rawValue: word == "WARNING" ? "WARN" : word)
  }
}
