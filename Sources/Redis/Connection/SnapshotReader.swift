import Runtime

/// What a server sends after SYNC, cut into the snapshot's bytes: line feeds while it saves, `$` and the length, and then the
/// RDB file. Pure.
struct SnapshotReader {
  enum Failure: Error, Equatable {
    /// The server's own words.
    case refused(String)
    case malformed
  }

  private static let lineLimit = 1024

  private var line: [UInt8] = []
  /// What is still to come; nil before the length is known.
  private(set) var remaining: Int?
  var isComplete: Bool { remaining == 0 }

  /// - Returns: the part of the snapshot that is among the bytes. What follows it is writes, which are left.
  mutating func take(_ bytes: ArraySlice<UInt8>) throws(Failure) -> ArraySlice<UInt8> {
    var rest = bytes
    while remaining == nil, let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\n") else {
        guard line.count < Self.lineLimit else { throw .malformed }
        line.append(byte)
        continue
      }
      if line.last == UInt8(ascii: "\r") { line.removeLast() }
      guard let first = line.first else { continue }
      if first == UInt8(ascii: "-") { throw .refused(String(foreign: line.dropFirst())) }
      guard first == UInt8(ascii: "$"), let length = parseInteger(line.dropFirst()), length > 0 else {
        throw .malformed
      }
      remaining = length
    }
    guard let count = remaining.map({ min($0, rest.count) }), count > 0 else { return [] }
    remaining = remaining.map { $0 - count }
    return rest.prefix(count)
  }
}
