import Glibc

@testable import PromQL

/// The scripts in the folder beside this file.
enum Fixtures {
  static let folder = String(#filePath.dropLast("Fixtures.swift".count)) + "Scripts"

  /// File names, sorted.
  static let scripts: [String] = {
    var found = unsafe glob_t()
    defer { unsafe globfree(&found) }
    guard unsafe glob("\(folder)/*.test", 0, nil, &found) == 0 else { return [] }
    return unsafe (0..<Int(found.gl_pathc)).compactMap { index in
      unsafe found.gl_pathv[index].map { String(unsafe String(cString: $0).dropFirst(folder.count + 1)) }
    }
  }()

  static func text(_ name: String) -> String {
    guard let file = unsafe fopen("\(folder)/\(name)", "r") else { return "" }
    defer { unsafe fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = unsafe fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}
