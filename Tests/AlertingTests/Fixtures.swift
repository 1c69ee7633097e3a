import Config
import Glibc

/// The files in the folder beside this one, which tests read as data.
enum Fixtures {
  static let folder = String(#filePath.dropLast("Fixtures.swift".count)) + "Fixtures"

  /// Paths of the files in a subfolder whose names end in `suffix`, sorted.
  static func paths(_ suffix: String, in subfolder: String) -> [String] {
    var found = unsafe glob_t()
    defer { unsafe globfree(&found) }
    guard unsafe glob("\(folder)/\(subfolder)/*\(suffix)", 0, nil, &found) == 0 else { return [] }
    return unsafe (0..<Int(found.gl_pathc)).compactMap { index in
      unsafe found.gl_pathv[index].map { unsafe String(cString: $0) }
    }
  }

  static func text(_ path: String) throws -> String {
    String(decoding: try readFile(path.hasPrefix("/") ? path : "\(folder)/\(path)", limitBytes: 1 << 20), as: UTF8.self)
  }
}

/// `UPDATE_GOLDEN=1` writes what the code says now into the fixtures, to be read before it is committed.
extension Fixtures {
  static let areUpdated = processEnvironment()["UPDATE_GOLDEN"] == "1"

  /// The text of a golden file, after writing it when that is asked for.
  static func golden(_ path: String, of text: String) throws -> String {
    if areUpdated, let file = unsafe fopen(path, "w") {
      _ = unsafe fputs(text, file)
      _ = unsafe fclose(file)
    }
    return try Self.text(path)
  }

  /// The text with the folders before the names of fixtures taken out.
  static func withoutFolders(_ text: String) -> String {
    ["rules", "lint", "tests"].reduce(text) { $0.replacing("\(folder)/\($1)/", with: "") }
  }
}
