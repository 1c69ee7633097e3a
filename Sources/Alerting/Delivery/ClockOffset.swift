import HTTPClient
import Runtime

/// How far another machine's clock is before ours, from the `Date` of its response.
enum ClockOffset {
  /// Farther than this no end is moved, whatever a server claims.
  static let limitSeconds = 86_400.0
  /// `Date` has whole seconds: less than this is taken for none.
  static let leastSeconds = 2.0

  /// Seconds, to about half a second and half the round trip; nil when the response has no usable `Date`.
  static func seconds(_ response: HTTPResponse) -> Double? {
    guard let date = response.header("Date").flatMap({ HTTPDate.parse($0) }) else { return nil }
    // The time was cut to a second some way through the round trip.
    return Double(date) + 0.5 - (response.sentAtSeconds + response.answeredAtSeconds) / 2
  }

  /// By how much ends are moved, in whole seconds.
  static func correctionMilliseconds(_ offsetSeconds: Double?) -> Int64 {
    guard let offsetSeconds, abs(offsetSeconds) >= leastSeconds else { return 0 }
    return Int64(clamping: min(max(offsetSeconds, -limitSeconds), limitSeconds).rounded()) * 1000
  }
}
