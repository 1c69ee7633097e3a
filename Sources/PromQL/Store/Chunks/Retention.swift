/// What is kept equally long: pages of chunks, and series that have ended.
struct Retention: Sendable {
  /// A series that nothing is appended to any more.
  struct Ended: Sendable {
    let series: SeriesReference
    let newestMilliseconds: Int64
  }

  /// How long after its newest sample a chunk is kept.
  var keptMilliseconds: Int64
  /// Pages, the oldest first.
  var pages = Queue<Int>()
  /// In the order of their end, near enough.
  var ended = Queue<Ended>()
  /// No series is filed here any more; what is left only grows old.
  var isRetired = false

  var isEmpty: Bool { pages.isEmpty && ended.isEmpty }
}
