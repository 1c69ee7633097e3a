/// Which program this is. `deploy/release stamp` writes the tag, the commit and its time here before a release is built.
enum BuildInfo {
  static let version = "0.2.0"
  static let commit = "unknown"
  /// As `2026-01-31T12:00:00Z`.
  static let date = "unknown"
  static let swiftVersion = "swift6.3"
}
