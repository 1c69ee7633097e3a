/// What a ``SeriesStore`` may hold and hand out.
public struct SeriesLimits: Sendable, Equatable {
  /// Series at once.
  public var series: Int
  /// Bytes of compressed samples. Past them the oldest go before their time.
  public var sampleBytes: Int
  /// Labels of one series, its name included.
  public var labelsPerSeries: Int
  /// Bytes of one series' names and values.
  public var labelBytesPerSeries: Int
  /// Samples that one selection may bring.
  public var selectedSamples: Int

  public init(
    series: Int = 2_000_000, sampleBytes: Int = 2 << 30, labelsPerSeries: Int = 64, labelBytesPerSeries: Int = 16 << 10,
    selectedSamples: Int = 50_000_000
  ) {
    self.series = series
    self.sampleBytes = sampleBytes
    self.labelsPerSeries = labelsPerSeries
    self.labelBytesPerSeries = labelBytesPerSeries
    self.selectedSamples = selectedSamples
  }
}

/// Why a ``SeriesStore`` refuses.
public enum SeriesStoreError: Error, Sendable, Equatable, CustomStringConvertible {
  case tooManySeries(limit: Int)
  case tooManyLabels(Labels, limit: Int)
  case labelsTooLong(Labels, limitBytes: Int)
  /// The newest samples alone take more than all samples may.
  case samplesTooLarge(limitBytes: Int)
  case tooManySamplesSelected(limit: Int)
  /// The origin was closed.
  case closedOrigin
  /// Not a time that a store can hold: milliseconds within 2^53 of the epoch.
  case timeOutOfRange(milliseconds: Int64)

  public var description: String {
    switch self {
    case .tooManySeries(let limit):
      "the series store is full: it holds \(limit) series; raise its limit, or watch fewer targets or collectors"
    case .tooManyLabels(let labels, let limit):
      "the series \(Self.shortened(labels)) has more than \(limit) labels"
    case .labelsTooLong(let labels, let limit):
      "the labels of the series \(Self.shortened(labels)) take more than \(limit) bytes"
    case .samplesTooLarge(let limit):
      "the newest samples alone take more than the \(limit) bytes that samples may take; raise the limit, or keep fewer series"
    case .tooManySamplesSelected(let limit):
      "the query would read more than \(limit) samples at once; select fewer series or a shorter range"
    case .closedOrigin: "samples came from an origin that was closed"
    case .timeOutOfRange(let milliseconds): "\(milliseconds) ms is not a time that can be kept"
    }
  }

  private static func shortened(_ labels: Labels) -> String {
    let text = labels.description
    return text.utf8.count <= 200 ? text : "\(text.prefix(200))…"
  }
}
