import Glibc

@testable import Config

/// The files in the folder beside this one, which tests read as data.
enum Fixtures {
  static let folder = String(#filePath.dropLast("Fixtures.swift".count)) + "Fixtures"

  /// Names ending in `suffix`, sorted, with the folder they are in when that is one below.
  static func names(_ suffix: String, in subfolder: String = "") -> [String] {
    var found = unsafe glob_t()
    defer { unsafe globfree(&found) }
    let pattern = "\(folder)/\(subfolder.isEmpty ? "" : subfolder + "/")*\(suffix)"
    guard unsafe glob(pattern, 0, nil, &found) == 0 else { return [] }
    return unsafe (0..<Int(found.gl_pathc)).compactMap { index in
      unsafe found.gl_pathv[index].map { String(unsafe String(cString: $0).dropFirst(folder.count + 1)) }
    }
  }

  static func bytes(_ name: String) throws -> [UInt8] {
    try readFile("\(folder)/\(name)", limitBytes: 1 << 20)
  }

  static func text(_ name: String) throws -> String {
    String(decoding: try bytes(name), as: UTF8.self)
  }
}

/// `UPDATE_GOLDEN=1` writes what the code says now into the fixtures, to be read before it is committed.
extension Fixtures {
  static let areUpdated = processEnvironment()["UPDATE_GOLDEN"] == "1"

  static func update(_ name: String, _ text: String) {
    guard areUpdated, let file = unsafe fopen("\(folder)/\(name)", "w") else { return }
    _ = unsafe fputs(text, file)
    _ = unsafe fclose(file)
  }
}
