import Web

extension Health {
  /// Answers `/-/healthy` and `/health`, without waiting for any other part.
  ///
  /// What no restart mends is named and does not count: a process that is killed for a slow disk would watch nothing.
  func response() -> Response {
    let all = standstills
    let harmful = all.filter(\.isMendedByRestart)
    guard harmful.isEmpty else {
      return .text("unhealthy: " + all.map(\.description).joined(separator: "; ") + "\n", status: 503)
    }
    return .text(all.isEmpty ? "ok" : "ok, but " + all.map(\.description).joined(separator: "; ") + "\n")
  }
}
