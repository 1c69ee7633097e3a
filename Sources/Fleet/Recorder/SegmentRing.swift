import Compression
import Runtime

/// The files of a recording: segments. The oldest go when all of them are too old or too large.
///
/// Each segment can be read alone. A block that is in a file is whole: what is cut off by the end of the process is the
/// blocks that were not written yet.
struct SegmentRing {
  struct Segment {
    let name: String
    let startMilliseconds: Int64
    var bytes: Int
  }

  let folder: String
  private let keepMilliseconds: Int64
  private let sizeBytes: Int
  private(set) var segments: [Segment] = []
  private var file: GrowingFile?

  /// A segment has at most this part of the time and of the size that are kept.
  static let share = 16
  private static let share64: Int64 = 16
  private static let fileLimit = 10_000

  init(_ folder: String, keepSeconds: Double, sizeBytes: Int) {
    self.folder = folder
    keepMilliseconds = Int64(clamping: keepSeconds * 1000)
    self.sizeBytes = sizeBytes
  }

  var byteCount: Int { segments.reduce(0) { $0 + $1.bytes } }
  var oldestMilliseconds: Int64? { segments.first?.startMilliseconds }
  var isOpen: Bool { file != nil }

  /// Finds the segments that are there.
  mutating func open() throws(FileProblem) {
    try Folder.make(folder)
    segments = SmallFile.names(inDirectory: folder, limit: Self.fileLimit)
      .filter { $0.hasSuffix(SegmentLayout.suffix) }.compactMap { name in
        Int64(name.prefix { $0 != "-" }).map {
          Segment(name: name, startMilliseconds: $0, bytes: SmallFile.size("\(folder)/\(name)") ?? 0)
        }
      }.sorted { ($0.startMilliseconds, $0.name) < ($1.startMilliseconds, $1.name) }
  }

  /// Whether the next block belongs into a new segment.
  func isDue(atMilliseconds now: Int64) -> Bool {
    guard file != nil, let last = segments.last else { return true }
    return last.bytes >= sizeBytes / Self.share || now - last.startMilliseconds >= keepMilliseconds / Self.share64
      || now < last.startMilliseconds
  }

  mutating func begin(atMilliseconds now: Int64) throws(FileProblem) {
    file = nil
    // Two of one millisecond are told apart by a number behind it.
    let number = segments.count { $0.startMilliseconds == now }
    let name = "\(now)-\(number)\(SegmentLayout.suffix)"
    let new = try GrowingFile("\(folder)/\(name)")
    try new.append(SegmentLayout.header(startMilliseconds: now))
    file = new
    segments.append(Segment(name: name, startMilliseconds: now, bytes: new.byteCount))
    try trim(atMilliseconds: now)
  }

  /// Appends a block of records.
  mutating func append(_ records: [UInt8], atMilliseconds now: Int64) throws(FileProblem) {
    guard let file else { return }
    let kept = Deflate.quicklyCompressed(records)
    let header =
      SegmentLayout.little(UInt32(kept.count)) + SegmentLayout.little(UInt32(records.count))
      + SegmentLayout.little(SegmentLayout.hash(kept))
    try file.append(header + kept)
    segments[segments.count - 1].bytes = file.byteCount
    try trim(atMilliseconds: now)
  }

  /// Gives up the segment that is written: the next block begins a new one.
  mutating func abandon() { file = nil }

  private mutating func trim(atMilliseconds now: Int64) throws(FileProblem) {
    // What a segment tells last is as old as the next one's beginning.
    while segments.count > 1, byteCount > sizeBytes || now - segments[1].startMilliseconds > keepMilliseconds {
      try Folder.remove(file: "\(folder)/\(segments[0].name)")
      segments.removeFirst()
    }
  }
}
