import Config
import Redis
import Runtime

/// The targets of a file that `/scrape` is to be asked for: one on each line as in `/scrape?target=`, or Prometheus' JSON for
/// `file_sd_configs`.
struct ScrapeTargetList {
  /// As they are written, each once, in their order.
  let targets: [String]

  private static let limitBytes = 16 << 20
  private static let targetLimit = 100_000

  /// - Throws: ``ConfigErrors``; what the file holds is not repeated, for a target may hold a password.
  init(file: String) throws(ConfigErrors) {
    do throws(ConfigError) {
      try self.init(try readFile(file, limitBytes: Self.limitBytes), file: file)
    } catch {
      throw ConfigErrors(error)
    }
  }

  init(_ bytes: [UInt8], file: String) throws(ConfigError) {
    let first = bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
    let found =
      first == UInt8(ascii: "[") || first == UInt8(ascii: "{")
      ? try Self.discovered(bytes, file) : try Self.listed(bytes, file)
    var seen: Set<String> = []
    targets = found.filter { seen.insert($0).inserted }
    guard !targets.isEmpty else {
      throw ConfigError(
        .file(file, nil), problem: "names no target", hint: "write one on each line, such as redis://cache-1:6379")
    }
    guard targets.count <= Self.targetLimit else {
      throw ConfigError(.file(file, nil), problem: "names more than \(Self.targetLimit) targets")
    }
  }

  private static func listed(_ bytes: [UInt8], _ file: String) throws(ConfigError) -> [String] {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ConfigError(.file(file, nil), problem: "is not UTF-8 text")
    }
    return text.split(whereSeparator: \.isNewline).compactMap { line in
      let target = line.drop { $0.isWhitespace }
      guard let last = target.lastIndex(where: { !$0.isWhitespace }), target.first != "#" else { return nil }
      return String(target[...last])
    }
  }

  /// `[{"targets": ["redis://cache-1:6379"], "labels": {…}}]`
  private static func discovered(_ bytes: [UInt8], _ file: String) throws(ConfigError) -> [String] {
    let groups: JSONValue
    do throws(JSONError) {
      groups = try JSONReader.value(bytes, limits: JSONReader.Limits(bytes: limitBytes))
    } catch {
      throw ConfigError(
        .file(file, SourceMark(line: error.line, column: error.column)), problem: error.problem, hint: error.hint)
    }
    var found: [String] = []
    for group in groups.elements {
      let targets = group["targets"]?.elements ?? []
      let texts = targets.compactMap(\.string)
      guard !targets.isEmpty, texts.count == targets.count else {
        throw ConfigError(
          .file(file, nil), problem: "is not a list for file_sd_configs",
          hint: "write [{\"targets\": [\"redis://cache-1:6379\"]}]")
      }
      found += texts
    }
    return found
  }
}
