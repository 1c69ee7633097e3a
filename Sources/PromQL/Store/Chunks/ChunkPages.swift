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

/// The words in front of a sealed chunk's column.
struct ChunkHeader: Sendable {
  static let wordCount = 4

  /// The series' chunk before this one.
  var previous: ChunkLink
  /// The times of the block of slots that the chunk belongs to.
  var times: ChunkLink
  /// The newest sample of the chunk before this one.
  var previousNewestMilliseconds: Int64
  /// The first value's slot in its block.
  var firstSlot: UInt16
  var valueCount: UInt16
  /// Words of the column.
  var columnWords: UInt16

  /// Into the first words.
  func write(to words: inout [UInt64]) {
    words[0] = previous.bits
    words[1] = times.bits
    words[2] = UInt64(bitPattern: previousNewestMilliseconds)
    words[3] = UInt64(firstSlot) << 32 | UInt64(valueCount) << 16 | UInt64(columnWords)
  }

  init(
    previous: ChunkLink, times: ChunkLink, previousNewestMilliseconds: Int64, firstSlot: UInt16, valueCount: UInt16,
    columnWords: Int
  ) {
    self.previous = previous
    self.times = times
    self.previousNewestMilliseconds = previousNewestMilliseconds
    self.firstSlot = firstSlot
    self.valueCount = valueCount
    self.columnWords = UInt16(columnWords)
  }

  init(_ words: [UInt64], at offset: Int) {
    previous = ChunkLink(bits: words[offset])
    times = ChunkLink(bits: words[offset + 1])
    previousNewestMilliseconds = Int64(bitPattern: words[offset + 2])
    let counts = words[offset + 3]
    firstSlot = UInt16(truncatingIfNeeded: counts >> 32)
    valueCount = UInt16(truncatingIfNeeded: counts >> 16)
    columnWords = UInt16(truncatingIfNeeded: counts)
  }
}

/// The times of the slots of a block: a column of the milliseconds since the epoch, behind one word.
struct TimesHeader: Sendable {
  static let wordCount = 1

  var slotCount: Int
  var columnWords: Int

  var word: UInt64 { UInt64(slotCount) << 32 | UInt64(columnWords) }

  init(slotCount: Int, columnWords: Int) {
    self.slotCount = slotCount
    self.columnWords = columnWords
  }

  init(_ word: UInt64) {
    slotCount = Int(word >> 32)
    columnWords = Int(word & 0xFFFF_FFFF)
  }
}

/// Where a chunk stands in ``ChunkPages``. It tells when the page has been given to others since.
struct ChunkLink: Sendable, Hashable {
  let bits: UInt64

  static let none = ChunkLink(bits: .max)

  init(bits: UInt64) { self.bits = bits }

  /// - Parameters:
  ///   - page: below 2^24.
  ///   - generation: its low 24 bits count.
  ///   - offset: the chunk's first word in the page, below 2^16.
  init(page: Int, generation: UInt32, offset: Int) {
    bits = UInt64(page) << 40 | UInt64(generation & 0xFF_FFFF) << 16 | UInt64(offset)
  }

  var page: Int { Int(bits >> 40) }
  var generation: UInt32 { UInt32(truncatingIfNeeded: bits >> 16) & 0xFF_FFFF }
  var offset: Int { Int(bits & 0xFFFF) }
}

/// A growing array in pages, so that growth neither copies what is there nor doubles the memory.
struct PagedArray<Element: Sendable>: Sendable {
  private static var pageShift: Int { 10 }
  private var pages: [[Element]] = []
  private(set) var count = 0

  mutating func append(_ element: Element) {
    if count & ((1 << Self.pageShift) - 1) == 0 {
      pages.append([])
      // The first page starts small: most stores hold a single server's series.
      if pages.count > 1 { pages[pages.count - 1].reserveCapacity(1 << Self.pageShift) }
    }
    pages[pages.count - 1].append(element)
    count += 1
  }

  subscript(index: Int) -> Element {
    @inline(__always) _read { yield pages[index >> Self.pageShift][index & ((1 << Self.pageShift) - 1)] }
    @inline(__always) _modify { yield &pages[index >> Self.pageShift][index & ((1 << Self.pageShift) - 1)] }
  }

  /// What the pages take on the heap, less what the elements take there.
  var byteCount: Int { pages.reduce(0) { $0 + $1.capacity * MemoryLayout<Element>.stride + 32 } }
}

/// First in, first out.
struct Queue<Element: Sendable>: Sendable {
  private var elements: [Element] = []
  private var head = 0

  var count: Int { elements.count - head }
  var isEmpty: Bool { head == elements.count }
  var first: Element? { isEmpty ? nil : elements[head] }
  var last: Element? { isEmpty ? nil : elements[elements.count - 1] }
  var byteCount: Int { elements.capacity * MemoryLayout<Element>.stride }

  mutating func append(_ element: Element) { elements.append(element) }

  mutating func removeFirst() {
    head += 1
    if head * 2 > elements.count {
      elements.removeFirst(head)
      head = 0
    }
  }
}

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
