/// Compressed samples copied out of a store, to be read after it has gone on.
struct SeriesExtract {
  /// A chunk, or the column that is being written.
  private struct Piece {
    var column: Int
    var valueCount: Int
    var firstSlot: Int
    var block: Int
  }

  /// The times of a block.
  private enum Times {
    case open(Range<Int>)
    case sealed(column: Int, slotCount: Int)
  }

  private struct Entry {
    var packedLabels: [UInt8]
    var pieces: Range<Int>
  }

  private let from: Int64
  private let through: Int64
  /// What is read gets times that are later by this.
  private let shift: Int64
  private var entries: [Entry] = []
  private var pieces: [Piece] = []
  private var words: [UInt64] = []
  private var times: [Times] = []
  /// Of the blocks that are open.
  private var openTimes: [Int64] = []
  private var sealedBlocks: [ChunkLink: Int] = [:]
  private var openBlocks: [UInt32: Int] = [:]

  init(fromMilliseconds from: Int64, throughMilliseconds through: Int64, shiftMilliseconds shift: Int64 = 0) {
    (self.from, self.through, self.shift) = (from, through, shift)
  }

  var wordCount: Int { words.count }

  /// Copies what a series may have in the interval.
  mutating func add(_ slot: Int, of contents: StoreContents) {
    let state = contents.series[slot]
    guard state.newestMilliseconds >= from else { return }
    let first = pieces.count
    if state.column.count > 0 { addColumn(state, of: contents) }
    addChunks(state, of: contents)
    if pieces.count == first { return }
    entries.append(
      Entry(packedLabels: contents.index.packedLabels(of: UInt32(slot)), pieces: first..<pieces.count))
  }

  private mutating func addColumn(_ state: SeriesState, of contents: StoreContents) {
    let origin = contents.origins[Int(state.origin)]
    guard origin.times[Int(state.firstSlot)] <= through else { return }
    let block: Int
    if let known = openBlocks[state.origin] {
      block = known
    } else {
      block = times.count
      openBlocks[state.origin] = block
      // A copy: the origin writes on in its own array.
      openTimes.append(contentsOf: origin.times)
      times.append(.open((openTimes.count - origin.times.count)..<openTimes.count))
    }
    pieces.append(
      Piece(
        column: words.count, valueCount: Int(state.column.count), firstSlot: Int(state.firstSlot), block: block))
    state.column.appendWords(to: &words)
  }

  /// From the newest back.
  private mutating func addChunks(_ state: SeriesState, of contents: StoreContents) {
    var (link, newest) = (state.sealed, state.sealedNewestMilliseconds)
    while newest >= from, let page = contents.pages.words(at: link) {
      let header = ChunkHeader(page, at: link.offset)
      // All of it comes after what the chunk before ends with.
      if header.previous == .none || header.previousNewestMilliseconds < through {
        guard let block = block(at: header.times, of: contents) else { return }
        pieces.append(
          Piece(
            column: words.count, valueCount: Int(header.valueCount), firstSlot: Int(header.firstSlot), block: block))
        let start = link.offset + ChunkHeader.wordCount
        words.append(contentsOf: page[start..<(start + Int(header.columnWords))])
      }
      (link, newest) = (header.previous, header.previousNewestMilliseconds)
    }
  }

  private mutating func block(at link: ChunkLink, of contents: StoreContents) -> Int? {
    if let known = sealedBlocks[link] { return known }
    guard let page = contents.pages.words(at: link) else { return nil }
    let header = TimesHeader(page[link.offset])
    let start = link.offset + TimesHeader.wordCount
    times.append(.sealed(column: words.count, slotCount: header.slotCount))
    words.append(contentsOf: page[start..<(start + header.columnWords)])
    sealedBlocks[link] = times.count - 1
    return times.count - 1
  }

  // MARK: Reading

  /// The series with samples in the interval. False when they have more samples than `limit`, which goes down by
  /// what was read.
  mutating func read(
    into result: inout [Series], limit: inout Int, _ charge: (Series) throws -> Void
  ) rethrows -> Bool {
    words.append(0)
    var cache = [[Int64]?](repeating: nil, count: times.count)
    for entry in entries {
      var samples: [Sample] = []
      if entry.pieces.count == 1 { samples.reserveCapacity(pieces[entry.pieces.lowerBound].valueCount) }
      for piece in pieces[entry.pieces].reversed() {
        let slotTimes = cache[piece.block] ?? readTimes(piece.block)
        cache[piece.block] = slotTimes
        read(piece, slotTimes, into: &samples)
        if samples.count > limit { return false }
      }
      limit -= samples.count
      if samples.isEmpty { continue }
      let series = Series(labels: Labels(packed: entry.packedLabels), samples: samples)
      try charge(series)
      result.append(series)
    }
    return true
  }

  private func readTimes(_ block: Int) -> [Int64] {
    switch times[block] {
    case .open(let range): return Array(openTimes[range])
    case .sealed(let column, let slotCount):
      var result: [Int64] = []
      result.reserveCapacity(slotCount)
      var reader = ColumnReader(words, at: column, count: slotCount)
      while let run = reader.next() { result.append(Int64(run.value)) }
      return result
    }
  }

  private func read(_ piece: Piece, _ slotTimes: [Int64], into samples: inout [Sample]) {
    let low = Self.firstIndex(of: slotTimes) { $0 >= from }
    let high = Self.firstIndex(of: slotTimes) { $0 > through }
    var reader = ColumnReader(words, at: piece.column, count: piece.valueCount)
    while let run = reader.next() {
      let start = piece.firstSlot + run.slot
      if start >= high { return }
      var slot = max(start, low)
      let end = min(start + run.count, high)
      while slot < end {
        samples.append(Sample(timestampMilliseconds: slotTimes[slot] + shift, value: run.value))
        slot += 1
      }
    }
  }

  /// The first of ascending times that passes, by halves.
  private static func firstIndex(of times: [Int64], where passes: (Int64) -> Bool) -> Int {
    var (low, high) = (0, times.count)
    while low < high {
      let middle = (low + high) / 2
      if passes(times[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
