import Redis
import Runtime

extension NodeAddress {
  /// `port host`: a host may hold any other character.
  var storedText: String { "\(port) \(host)" }

  init?(storedText: String) {
    let words = storedText.split(separator: " ", maxSplits: 1).map(String.init)
    guard words.count == 2 else { return nil }
    self.init(host: words[1], port: words[0])
  }
}

/// A number of the file, which may have been written by anybody: in the bounds of what servers say.
func storedInteger(_ text: String) -> Int? { Int(text).flatMap { Limits.integers.contains($0) ? $0 : nil } }

/// A time of the file, in seconds since the epoch.
func storedTime(_ text: String) -> WallTime? { Double(text).map { WallTime(seconds: $0) } }
