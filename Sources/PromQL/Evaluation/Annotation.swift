/// A remark on a value that was given all the same.
public struct Annotation: Sendable, Hashable, CustomStringConvertible {
  public enum Level: String, Sendable {
    /// The value may be wrong.
    case warning
    /// The query may not mean what it says.
    case info
  }

  public let level: Level
  public let message: String
  /// The part of the query that it is about.
  public let place: SourceRange

  public var description: String { "PromQL \(level.rawValue): \(message)" }

  /// As Prometheus' API shows it: with line and column of `place` in the text of the query.
  public func description(in query: Query) -> String {
    let place = SourcePlace(of: place.lowerBound, in: query.text)
    return "\(self) (\(place.line + 1):\(place.column + 1))"
  }
}

/// The remarks of one evaluation, each once, in the order they came up.
struct Annotations {
  /// More of them help nobody.
  static let countLimit = 100
  private(set) var list: [Annotation] = []
  private var known: Set<Annotation> = []

  mutating func add(_ level: Annotation.Level, _ message: @autoclosure () -> String, at place: SourceRange) {
    guard list.count < Self.countLimit else { return }
    let annotation = Annotation(level: level, message: message(), place: place)
    if known.insert(annotation).inserted { list.append(annotation) }
  }

  mutating func checkQuantile(_ q: Double, at place: SourceRange) {
    if !(q >= 0 && q <= 1) {
      add(.warning, "quantile value should be between 0 and 1, got \(NumberSyntax.decimal(q))", at: place)
    }
  }
}
