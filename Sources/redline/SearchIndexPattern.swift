import Config
import PromQL

/// Which search indexes are looked at, as the flags say.
enum SearchIndexPattern {
  /// - Returns: nil where none are.
  static func matcher(_ pattern: String?) throws(ConfigError) -> (@Sendable ([UInt8]) -> Bool)? {
    guard let pattern else { return nil }
    do throws(RegexError) {
      _ = try Regex(pattern)
      // Anywhere in the name, as redis_exporter looks for it.
      let regex = try Regex(".*(?:\(pattern)).*")
      return { regex.matches($0[...]) }
    } catch {
      throw ConfigError(.flag("check-search-indexes"), problem: "is no regular expression: \(error.reason)")
    }
  }
}
