import Runtime
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Files beside the tests.
enum Fixture {
  /// The moment at which the captured servers are taken to answer.
  static let now = WallTime(seconds: 1_795_412_010.25)
  static let isUpdating = unsafe getenv("UPDATE_GOLDEN") != nil

  private static let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")

  static func bytes(_ name: String) -> [UInt8]? { read("/\(folder)/Fixtures/\(name)") }
  static func text(_ name: String) -> String? { bytes(name).map { String(decoding: $0, as: UTF8.self) } }

  /// Compares a page with the golden file of that name, or rewrites the file when `UPDATE_GOLDEN` is set.
  static func expectGolden(_ page: String, _ name: String, location: SourceLocation = #_sourceLocation) {
    let path = "/\(folder)/Goldens/\(name)"
    if isUpdating { write(Array(page.utf8), path) }
    let golden = read(path).map { String(decoding: $0, as: UTF8.self) } ?? ""
    guard golden != page else { return }
    let (old, new) = (lines(golden), lines(page))
    let gone = old.filter { !Set(new).contains($0) }.prefix(20).map { "- \($0)" }
    let come = new.filter { !Set(old).contains($0) }.prefix(20).map { "+ \($0)" }
    Issue.record("\(name) differs:\n\((gone + come).joined(separator: "\n"))", sourceLocation: location)
  }

  static func lines(_ text: String) -> [String] {
    text.split(separator: "\n").map(String.init)
  }

  private static func read(_ path: String) -> [UInt8]? {
    guard let file = unsafe fopen(path, "r") else { return nil }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    while true {
      let byte = unsafe getc(file)
      if byte < 0 { return bytes }
      bytes.append(UInt8(truncatingIfNeeded: byte))
    }
  }

  private static func write(_ bytes: [UInt8], _ path: String) {
    guard let file = unsafe fopen(path, "w") else { return }
    defer { unsafe fclose(file) }
    for byte in bytes { unsafe putc(Int32(byte), file) }
  }
}
