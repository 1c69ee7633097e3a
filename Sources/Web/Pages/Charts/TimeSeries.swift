import Runtime

/// One number over time, evenly spaced, as it is drawn on a page.
public struct TimeSeries: Sendable, Equatable {
  public enum Unit: Sendable {
    case bytes, seconds, ratio, perSecond, count
  }

  /// The most points that are drawn.
  public static let pointLimit = 120

  /// Oldest first; nil where there is no sample.
  public private(set) var points: [Double?]
  public let unit: Unit
  /// From one point to the next.
  public private(set) var stepSeconds: Double

  /// - Parameters:
  ///   - points: oldest first, nil where there is none; more than ``pointLimit`` become means of neighbours.
  ///   - stepSeconds: from one to the next.
  public init(_ points: [Double?], unit: Unit, stepSeconds: Double) {
    let finite = points.map { point in point.flatMap { $0.isFinite ? $0 : nil } }
    let width = max(1, (finite.count + Self.pointLimit - 1) / Self.pointLimit)
    self.points = stride(from: 0, to: finite.count, by: width).map { start in
      let known = finite[start..<min(start + width, finite.count)].compactMap { $0 }
      return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
    }
    self.unit = unit
    self.stepSeconds = stepSeconds * Double(width)
  }

  /// Nil where there is no sample at all.
  var range: (low: Double, high: Double)? {
    let known = points.compactMap { $0 }
    guard let low = known.min(), let high = known.max() else { return nil }
    return (low, high)
  }

  public var last: Double? { points.last { $0 != nil } ?? nil }

  /// How much older than the end the newest value is; nil where there is none.
  var lastAgeSeconds: Double? {
    points.lastIndex { $0 != nil }.map { Double(points.count - 1 - $0) * stepSeconds }
  }

  func text(_ value: Double) -> String { unit.words(value) }

  /// The data of an SVG path through what is known; a gap begins a new line, and a lonely point is a dot.
  ///
  /// - Parameter place: of a value and its index.
  func path(_ place: (_ value: Double, _ index: Int) -> (x: String, y: String)) -> String {
    var path = ""
    var isDrawing = false
    for (index, point) in points.enumerated() {
      guard let point else {
        isDrawing = false
        continue
      }
      let (x, y) = place(point, index)
      // The line to itself makes a dot, as the caps are round.
      path += isDrawing ? "L\(x) \(y)" : "M\(x) \(y)h0"
      isDrawing = true
    }
    return path
  }
}

extension TimeSeries.Unit {
  /// The value with its unit, as people say it.
  public func words(_ value: Double) -> String {
    switch self {
    case .bytes: size(Int(clamping: value))
    case .seconds: fineSpan(value)
    case .ratio: percent(value)
    case .perSecond: "\(number(Self.shortened(value)))/s"
    case .count: number(value)
    }
  }

  /// Nobody reads more of a rate.
  private static func shortened(_ value: Double) -> Double {
    let scale = value.magnitude >= 100 ? 1.0 : value.magnitude >= 1 ? 10 : 100
    return (value * scale).rounded() / scale
  }
}
