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
