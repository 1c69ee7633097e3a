/// The flight recorder: `recorder` of a fleet's file.
public struct RecorderConfig: Sendable, Equatable {
  /// How long records are kept.
  public let keep: Duration
  /// Bytes that all files may have together.
  public let sizeBytes: Int
  /// The folder of the files, made absolute by the place of the configuration; nil for one beside the storage.
  public let path: String?

  private static let standardBytes = 256 << 20

  init(_ fields: MappingReader, folder: String) {
    keep = fields.value(
      "keep", .duration(.extended, .atLeast(.seconds(60))), default: .seconds(86_400), "How long records are kept.")
    sizeBytes = fields.value(
      "size", .fileSize, default: Self.standardBytes,
      "Size that all files may have together; beyond it, the oldest go.", shown: fileSizeText(Self.standardBytes))
    path = fields.optional(
      "path", .nonEmptyString,
      "Folder of the files, relative to this file; by default the path of `--storage.path` with `.recording` behind it."
    ).map { RulesConfig.absolute($0, in: folder) }
  }
}

private let fileUnits: [(name: String, bytes: Int)] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]

/// The size in the largest unit that gives a whole number.
func fileSizeText(_ bytes: Int) -> String {
  guard let unit = fileUnits.first(where: { bytes % $0.bytes == 0 }) else { return String(bytes) }
  return "\(bytes / unit.bytes)\(unit.name)"
}

extension ScalarType<Int> {
  private static var leastBytes: Int { 1 << 20 }
  private static var mostBytes: Int { 1 << 40 }

  /// A size of files, such as `256MiB`.
  static var fileSize: ScalarType {
    ScalarType(placeholder: leastBytes, name: "size", range: "`1MiB` to `1024GiB`") { text throws(Mismatch) in
      let digits = text.prefix { $0.isASCII && $0.isNumber }
      guard let unit = fileUnits.first(where: { $0.name == text.dropFirst(digits.count) }), let number = Int(digits),
        number <= mostBytes
      else { throw Mismatch("is not a size", hint: "write a whole number with its unit, such as 256MiB or 2GiB") }
      let (bytes, isTooLarge) = number.multipliedReportingOverflow(by: unit.bytes)
      guard !isTooLarge, bytes >= leastBytes, bytes <= mostBytes else {
        throw Mismatch("is not between 1MiB and 1024GiB")
      }
      return bytes
    }
  }
}
