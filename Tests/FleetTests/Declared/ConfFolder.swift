import Glibc
import TestSupport

@testable import Fleet

/// A folder with files as Redis reads them.
struct ConfFolder {
  private let folder = TemporaryFolder()

  init(_ files: [String: String] = [:]) { for (name, text) in files { write(name, Array(text.utf8)) } }

  var path: String { folder.path }

  /// The path of a file in it.
  func file(_ name: String) -> String { "\(folder.path)/\(name)" }

  func write(_ name: String, _ bytes: [UInt8]) {
    let parts = name.split(separator: "/")
    if parts.count > 1 { unsafe mkdir(file(String(parts[0])), 0o700) }
    let descriptor = unsafe open(file(name), O_CREAT | O_TRUNC | O_WRONLY, 0o600)
    defer { close(descriptor) }
    _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
  }

  /// What one file of that text sets.
  static func settings(_ text: String, ignored: Set<String> = []) throws -> DeclaredSettings {
    let folder = ConfFolder(["redis.conf": text])
    return try DeclaredSettings(ConfFile(folder.file("redis.conf")), ignored: ignored)
  }
}
