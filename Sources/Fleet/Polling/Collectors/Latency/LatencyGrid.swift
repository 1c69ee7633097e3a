import Metrics

/// The 21 buckets in which Redis and Valkey report the time of commands.
///
/// The server counts nanoseconds in an HDR histogram of two significant digits (1 ns to 1 s) and reports it by steps
/// that double from 1024 ns. A step ends with the last value that the histogram cannot tell from it, so the true upper
/// edge of step k is `1032 * 2^k - 1` ns. It is printed in whole microseconds, cut off: 1, 2, 4, 8, 16, 33, 66, 132 and
/// so on. Steps that added nothing are left out of the reply. Longer times than 1 s are counted in the last step.
enum LatencyGrid {
  static let count = 21

  /// True upper edges in microseconds.
  static let microseconds = HistogramEdges([
    "1.031", "2.063", "4.127", "8.255", "16.511", "33.023", "66.047", "132.095", "264.191", "528.383",
    "1056.767", "2113.535", "4227.071", "8454.143", "16908.287", "33816.575", "67633.151", "135266.303",
    "270532.607", "541065.215", "1082130.431",
  ])

  /// True upper edges in seconds.
  static let seconds = HistogramEdges([
    "1.031e-06", "2.063e-06", "4.127e-06", "8.255e-06", "1.6511e-05", "3.3023e-05", "6.6047e-05", "0.000132095",
    "0.000264191", "0.000528383", "0.001056767", "0.002113535", "0.004227071", "0.008454143", "0.016908287",
    "0.033816575", "0.067633151", "0.135266303", "0.270532607", "0.541065215", "1.082130431",
  ])

  /// The same as numbers.
  static let edgeSeconds = seconds.bounds.compactMap { Double($0) }

  /// The step whose edge the server printed as `microseconds`: the first that does not end before it; nil beyond the last.
  static func step(printedAs microseconds: Double) -> Int? {
    var edgeNanoseconds = 1031
    for step in 0..<count {
      if microseconds <= Double(edgeNanoseconds / 1000) { return step }
      edgeNanoseconds = edgeNanoseconds * 2 + 1
    }
    return nil
  }
}
