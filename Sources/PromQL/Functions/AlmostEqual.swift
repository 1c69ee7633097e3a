extension Double {
  /// Whether the difference is below the tolerance, relative to the sum of both magnitudes; next to zero, to the
  /// smallest normal number. NaN equals NaN, but the staleness marker only itself.
  func isAlmostEqual(to other: Double, relativeTolerance: Double) -> Bool {
    if isStalenessMarker || other.isStalenessMarker { return bitPattern == other.bitPattern }
    if self == other || (isNaN && other.isNaN) { return true }
    let difference = (self - other).magnitude
    let sum = magnitude + other.magnitude
    let smallest = Double.leastNormalMagnitude
    if self == 0 || other == 0 || sum < smallest { return difference < relativeTolerance * smallest }
    return difference / Swift.min(sum, .greatestFiniteMagnitude) < relativeTolerance
  }
}
