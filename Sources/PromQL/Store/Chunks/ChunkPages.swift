/// The memory of sealed chunks: pages that are written from front to back and freed whole.
///
/// Chunks that are kept equally long share pages, so that all of a page falls due together: nothing is ever moved, and
/// no holes are left behind.
struct ChunkPages: Sendable {
  /// Words of a page; a chunk must fit.
  static let pageWords = 4096

  private struct Page {
    var words: [UInt64] = []
    var generation: UInt32 = 0
    var newestMilliseconds: Int64 = .min
    var valueCount = 0
  }
  private var pages: [Page] = []
  private var free: [Int] = []

  /// What the pages take.
  private(set) var byteCount = 0

  /// Samples in all chunks.
  private(set) var valueCount = 0

  /// Appends a chunk whose newest sample has this time.
  ///
  /// - Parameters:
  ///   - valueCount: its samples.
  ///   - retention: the pages of chunks that are kept as long as this one.
  mutating func append(
    _ chunk: [UInt64], newestMilliseconds: Int64, valueCount: Int, to retention: inout Retention
  ) -> ChunkLink {
    let page: Int
    if let open = retention.pages.last, pages[open].words.count + chunk.count <= Self.pageWords {
      page = open
    } else {
      page = takePage()
      retention.pages.append(page)
    }
    let offset = pages[page].words.count
    let before = pages[page].words.capacity
    if offset + chunk.count > before {
      // The first page starts small, others will be filled.
      let room = retention.pages.count == 1 ? max(2 * before, 256, offset + chunk.count) : Self.pageWords
      pages[page].words.reserveCapacity(min(Self.pageWords, room))
    }
    pages[page].words.append(contentsOf: chunk)
    byteCount += (pages[page].words.capacity - before) * 8
    pages[page].newestMilliseconds = max(pages[page].newestMilliseconds, newestMilliseconds)
    pages[page].valueCount += valueCount
    self.valueCount += valueCount
    return ChunkLink(page: page, generation: pages[page].generation, offset: offset)
  }

  /// The words of a chunk's page, or nil when the chunk is gone.
  @inline(__always)
  func words(at link: ChunkLink) -> [UInt64]? {
    guard link != .none, pages[link.page].generation & 0xFF_FFFF == link.generation else { return nil }
    return pages[link.page].words
  }

  func newestMilliseconds(ofPage page: Int) -> Int64 { pages[page].newestMilliseconds }

  /// Frees a retention's pages that end before this time.
  mutating func drop(from retention: inout Retention, before milliseconds: Int64) {
    while let page = retention.pages.first, pages[page].newestMilliseconds < milliseconds { dropFirst(of: &retention) }
  }

  /// Frees a retention's oldest page.
  mutating func dropFirst(of retention: inout Retention) {
    guard let page = retention.pages.first else { return }
    retention.pages.removeFirst()
    byteCount -= pages[page].words.capacity * 8
    valueCount -= pages[page].valueCount
    pages[page] = Page(generation: pages[page].generation &+ 1)
    free.append(page)
  }

  private mutating func takePage() -> Int {
    if let page = free.popLast() { return page }
    pages.append(Page())
    return pages.count - 1
  }
}
