/// Samples of one moment.
public struct SeriesBatch: Sendable {
  private(set) var references: [SeriesReference] = []
  private(set) var values: [Double] = []

  public init() {}

  public var count: Int { references.count }

  public mutating func append(_ value: Double, to series: SeriesReference) {
    references.append(series)
    values.append(value)
  }

  public mutating func reserveCapacity(_ count: Int) {
    references.reserveCapacity(count)
    values.reserveCapacity(count)
  }

  /// Empties the batch; its room stays for the next one.
  public mutating func removeAll() {
    references.removeAll(keepingCapacity: true)
    values.removeAll(keepingCapacity: true)
  }
}
