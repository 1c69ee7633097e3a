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

/// Generates the same numbers on every run (SplitMix64).
struct FixedRandom: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// The text with a few bytes changed, dropped, doubled or replaced by `tokens`.
func mutated(_ text: String, tokens: [String], using random: inout FixedRandom) -> [UInt8] {
  var bytes = Array(text.utf8)
  for _ in 0..<Int.random(in: 1...6, using: &random) {
    let place = Int.random(in: 0...bytes.count, using: &random)
    let end = min(bytes.count, place + Int.random(in: 0...8, using: &random))
    switch Int.random(in: 0..<4, using: &random) {
    case 0: bytes.replaceSubrange(place..<end, with: [UInt8.random(in: 0...255, using: &random)])
    case 1: bytes.removeSubrange(place..<end)
    case 2: bytes.insert(contentsOf: bytes[place..<end], at: place)
    default: bytes.insert(contentsOf: Array(tokens.randomElement(using: &random)!.utf8), at: place)
    }
  }
  return bytes
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
