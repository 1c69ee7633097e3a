/// What is held of each series beside its labels and its sealed chunks.
struct SeriesState: Sendable {
  static let noOrigin = UInt32.max

  /// The values since the last chunk was sealed. Its newest value stays known when it is empty.
  var column = ColumnWriter()
  /// The newest sealed chunk.
  var sealed = ChunkLink.none
  /// The newest sample of that chunk.
  var sealedNewestMilliseconds = Int64.min
  /// The newest sample of all.
  var newestMilliseconds = Int64.min
  /// The first sample since the series was made; it may be gone by now.
  var firstMilliseconds = Int64.max
  /// The slot of the column's first value in its origin's block.
  var firstSlot: UInt16 = 0
  /// Where its chunks are filed.
  var retention: UInt16
  /// Who appends to it.
  var origin = Self.noOrigin
  /// Changes when the slot is given to another series.
  var generation: UInt32 = 0

  /// True when the newest sample is the marker that the series has ended.
  var isStale: Bool { newestMilliseconds != .min && column.newest.isStalenessMarker }
}
