/// What happened in a ``SeriesStore`` since it was made.
public struct SeriesStoreCounters: Sendable, Equatable {
  /// Samples taken, staleness markers included.
  public var appended = 0
  /// Staleness markers written for series that were absent.
  public var stalenessMarkers = 0
  /// Samples refused because a newer one was there.
  public var outOfOrder = 0
  /// Samples refused because one of the same time was there.
  public var duplicates = 0
  /// Samples refused because another origin gives the same series.
  public var conflicts = 0
  /// Samples refused because their series is gone.
  public var unknownSeries = 0
  /// Samples and series refused because the store was full.
  public var refusedForSpace = 0
  /// Pages of the oldest chunks that went before their time because samples took too many bytes.
  public var pagesDroppedForSpace = 0
  public var seriesCreated = 0
  public var seriesRemoved = 0

  public init() {}
}

/// What a ``SeriesStore`` holds.
public struct SeriesStoreSize: Sendable, Equatable {
  public var seriesCount = 0
  /// Samples that can be read, staleness markers included, and those whose chunks are due to go.
  public var sampleCount = 0
  /// Bytes of all samples.
  public var sampleBytes = 0
  /// Bytes of labels, their index and the state of each series.
  public var indexBytes = 0

  public init() {}

  public var byteCount: Int { sampleBytes + indexBytes }
}

/// What became of one batch.
public struct AppendReport: Sendable, Equatable {
  public var appended = 0
  /// Series that were absent and got a staleness marker.
  public var stalenessMarkers = 0
  public var outOfOrder = 0
  public var duplicates = 0
  /// Of series that another origin gives.
  public var conflicts = 0
  /// Where in the batch references stand whose series are gone. A new reference for the same labels, appended with the
  /// same time, brings their samples in.
  public var unknown: [Int] = []

  public init() {}
}
