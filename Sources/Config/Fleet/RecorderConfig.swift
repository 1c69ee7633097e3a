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
  /// A size of files, such as `256MiB`.
  static var fileSize: ScalarType { size(from: 1 << 20, to: 1 << 40, example: "256MiB or 2GiB") }
  /// A size of a key, such as `1MiB`.
  static var keySize: ScalarType { size(from: 64 << 10, to: 1 << 30, example: "512KiB or 1MiB") }

  private static func size(from least: Int, to most: Int, example: String) -> ScalarType {
    let (leastText, mostText) = (fileSizeText(least), fileSizeText(most))
    return ScalarType(placeholder: least, name: "size", range: "`\(leastText)` to `\(mostText)`") {
      text throws(Mismatch) in
      let digits = text.prefix { $0.isASCII && $0.isNumber }
      guard let unit = fileUnits.first(where: { $0.name == text.dropFirst(digits.count) }), let number = Int(digits),
        number <= most
      else { throw Mismatch("is not a size", hint: "write a whole number with its unit, such as \(example)") }
      let (bytes, isTooLarge) = number.multipliedReportingOverflow(by: unit.bytes)
      guard !isTooLarge, bytes >= least, bytes <= most else {
        throw Mismatch("is not between \(leastText) and \(mostText)")
      }
      return bytes
    }
  }
}
