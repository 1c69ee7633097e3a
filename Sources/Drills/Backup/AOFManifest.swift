import Runtime

/// The list of files that an append-only file consists of, as Redis 7 writes it: `appendonly.aof.manifest`.
public struct AOFManifest: Sendable, Equatable {
  public struct Failure: Error, Sendable, Equatable { public let reason: String }

  static let limitBytes = 1 << 20
  private static let partLimit = 10_000
  static let ending = ".manifest"

  /// `appendfilename`.
  public let name: String
  /// The base first, then the increments in their order. Names alone, within the folder.
  public let parts: [String]
  /// The first of them, where it holds what was there before the increments.
  public let base: String?

  var fileName: String { name + Self.ending }

  /// - Parameters:
  ///   - fileName: of the manifest.
  ///   - bytes: its lines, such as `file appendonly.aof.1.base.rdb seq 1 type b`.
  init(fileName: String, _ bytes: [UInt8]) throws(Failure) {
    name = String(fileName.dropLast(Self.ending.count))
    var (base, increments): (String?, [(number: Int, file: String)]) = (nil, [])
    for line in bytes.split(separator: UInt8(ascii: "\n")) where line.first != UInt8(ascii: "#") {
      let words = String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace).map(String.init)
      guard words.count.isMultiple(of: 2) else {
        throw Failure(reason: "has a line that is no list of names and values")
      }
      let values = Dictionary(
        stride(from: 0, to: words.count, by: 2).map { (words[$0], words[$0 + 1]) },
        uniquingKeysWith: { first, _ in first })
      guard let file = values["file"], let type = values["type"], let number = values["seq"].flatMap({ Int($0) }) else {
        throw Failure(reason: "has a line without file, seq or type")
      }
      guard !file.contains("/"), !file.hasPrefix("."), !file.hasPrefix("\""), !file.isEmpty else {
        throw Failure(reason: "names a file that is not in its own folder, or in quotes")
      }
      switch type {
      case "b":
        guard base == nil else { throw Failure(reason: "names two bases") }
        base = file
      case "i": increments.append((number, file))
      case "h": break
      default: throw Failure(reason: "has a type of file that is not known")
      }
      guard increments.count < Self.partLimit else { throw Failure(reason: "names more than \(Self.partLimit) files") }
    }
    guard base != nil || !increments.isEmpty else { throw Failure(reason: "names no file") }
    self.base = base
    parts = (base.map { [$0] } ?? []) + increments.sorted { $0.number < $1.number }.map(\.file)
  }
}
