import Config
import Runtime

/// Where a directive stands.
public struct ConfPlace: Sendable, Equatable {
  /// The path by which it was read.
  public let file: String
  /// From 1.
  public let line: Int

  public init(file: String, line: Int) { (self.file, self.line) = (file, line) }

  /// `redis.conf:12`, without folders.
  public var name: String { "\(Self.name(of: file)):\(line)" }

  /// The last part of a path.
  public static func name(of path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
}

/// A line of a file that says something.
struct ConfDirective: Sendable {
  /// In lower case.
  let name: String
  let arguments: [[UInt8]]
  let place: ConfPlace
}

/// A redis.conf or sentinel.conf with all that it includes, line by line.
struct ConfFile: Sendable {
  /// Bytes of one file, and of all together.
  static let fileBytes = 1 << 20
  static let byteLimit = 4 << 20
  /// Files, one included twice counted twice; and how deep they include one another.
  static let fileLimit = 256
  static let depthLimit = 16
  static let nameLimit = 64

  /// In the order in which Redis reads them: an included file stands in the place of its `include`.
  let directives: [ConfDirective]
  /// Every file that was read.
  let paths: [String]
  /// Every pattern of an `include`, made absolute.
  let patterns: [String]

  /// Reads the file as redis-server does.
  ///
  /// Relative paths of `include` begin at the folder that the server works in: that of the file itself, for nothing
  /// here knows where it is started, and from a line `dir` on the one that it names.
  ///
  /// - Throws: what cannot be read or split. No error shows the value of a directive.
  init(_ path: String) throws(ConfigErrors) {
    var reading = Reading(folder: path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "")
    reading.read([path], from: nil, depth: 0)
    try self.init(reading)
  }

  /// Reads a text as if it stood in the file.
  init(_ bytes: [UInt8], file: String) throws(ConfigErrors) {
    var reading = Reading(folder: "")
    reading.take(bytes, [(0, file)], depth: 0)
    try self.init(reading)
  }

  private init(_ reading: Reading) throws(ConfigErrors) {
    guard reading.errors.isEmpty else { throw ConfigErrors(reading.errors) }
    (directives, paths, patterns) = (reading.directives, reading.paths, reading.patterns)
  }

  /// What is wrong with a directive; its value is left out where it is not given.
  static func error(
    _ place: ConfPlace, _ name: String, value: String? = nil, _ problem: String, hint: String? = nil
  ) -> ConfigError {
    ConfigError(
      .file(place.file, SourceMark(line: place.line, column: 1)), path: name, value: value, problem: problem, hint: hint
    )
  }
}

extension ConfFile {
  /// What was read so far.
  private struct Reading {
    private static let errorLimit = 50

    /// Where relative paths begin; empty for the working directory.
    var folder: String
    var directives: [ConfDirective] = []
    var paths: [String] = []
    var patterns: [String] = []
    private(set) var errors: [ConfigError] = []
    private var byteCount = 0

    init(folder: String) { self.folder = folder }

    /// - Parameters:
    ///   - files: what one `include` names. Redis reads them as one text: a last line that does not end goes on in the next file.
    ///   - origin: the `include`; nil for the file that all begins with.
    mutating func read(_ files: [String], from origin: ConfPlace?, depth: Int) {
      var text: [UInt8] = []
      var starts: [(byte: Int, file: String)] = []
      for file in files {
        guard paths.count < ConfFile.fileLimit, depth <= ConfFile.depthLimit else {
          return note(
            ConfFile.error(
              origin ?? ConfPlace(file: file, line: 1), "include",
              depth > ConfFile.depthLimit
                ? "goes \(ConfFile.depthLimit) files deep" : "brings more than \(ConfFile.fileLimit) files",
              hint: "does a file include itself?"))
        }
        paths.append(file)
        do throws(ConfigError) {
          let bytes = try readFile(file, limitBytes: ConfFile.fileBytes)
          byteCount += bytes.count
          starts.append((text.count, file))
          text += bytes
        } catch {
          note(Self.unreadable(file, error, origin))
        }
      }
      guard byteCount <= ConfFile.byteLimit else {
        return note(
          ConfFile.error(
            origin ?? ConfPlace(file: files.first ?? "", line: 1), "include",
            "makes more than \(ConfFile.byteLimit >> 20) MiB of all files together"))
      }
      take(text, starts, depth: depth)
    }

    private static func unreadable(_ file: String, _ error: ConfigError, _ origin: ConfPlace?) -> ConfigError {
      guard let origin else { return error }
      return ConfFile.error(
        origin, "include", value: file, error.problem,
        hint:
          "lay it there, or name it by a pattern, which may match nothing, such as \(file.dropLast())[\(file.suffix(1))]"
      )
    }

    mutating func take(_ text: [UInt8], _ starts: [(byte: Int, file: String)], depth: Int) {
      var (start, number, next) = (0, 0, 0)
      while start < text.count {
        // A line belongs to the file in which it begins; the end of one may have taken the next one's first line.
        while next < starts.count, starts[next].byte <= start {
          number = starts[next].byte == start ? 0 : 1
          next += 1
        }
        let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
        number += 1
        let place = ConfPlace(file: starts[max(0, next - 1)].file, line: number)
        take(trimmed(text[start..<end]), at: place, depth: depth)
        start = end + 1
      }
    }

    private func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
      func isLoose(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
      let front = line.drop(while: isLoose)
      return front.lastIndex { !isLoose($0) }.map { front[...$0] } ?? []
    }

    private mutating func take(_ line: ArraySlice<UInt8>, at place: ConfPlace, depth: Int) {
      guard let first = line.first, first != UInt8(ascii: "#") else { return }
      guard !line.contains(0) else {
        return note(ConfFile.error(place, "", "holds a zero byte", hint: "is it a text file?"))
      }
      guard let words = ConfWords.split(line) else {
        return note(
          ConfFile.error(
            place, Self.name(line.prefix { $0 > 0x20 }) ?? "", "has quotes that do not match",
            hint: "close each quote, with a blank behind it, and write \\\" for one that is meant"))
      }
      guard let first = words.first else { return }
      guard let name = Self.name(first) else {
        return note(
          ConfFile.error(
            place, "", "begins with no directive", hint: "a line is a directive, its value, and nothing else"))
      }
      let directive = ConfDirective(name: name, arguments: Array(words.dropFirst()), place: place)
      guard name == "include" else {
        if name == "dir", directive.arguments.count == 1 { folder = absolute(directive.arguments[0]) }
        return directives.append(directive)
      }
      guard directive.arguments.count == 1 else {
        return note(
          ConfFile.error(place, name, "has not one value but \(directive.arguments.count)", hint: "name one file"))
      }
      let path = absolute(directive.arguments[0])
      if path.contains(where: { "*?[".contains($0) }) { patterns.append(path) }
      read(PathGlob.matches(path), from: place, depth: depth + 1)
    }

    private func absolute(_ bytes: [UInt8]) -> String {
      let path = String(decoding: bytes, as: UTF8.self)
      return path.hasPrefix("/") || folder.isEmpty ? path : "\(folder)/\(path)"
    }

    /// In lower case; nil for what no directive is called.
    private static func name(_ word: some Collection<UInt8>) -> String? {
      guard !word.isEmpty, word.count <= ConfFile.nameLimit,
        word.allSatisfy({ $0.isASCIIAlphanumeric || "-_.".utf8.contains($0) })
      else { return nil }
      return String(decoding: word, as: UTF8.self).lowercased()
    }

    private mutating func note(_ error: ConfigError) {
      if errors.count < Self.errorLimit { errors.append(error) }
    }
  }
}
