import Runtime

/// What is wrong with a backup, or with looking at it, by its name.
public struct BackupTrouble: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Kind: String, Sendable, CaseIterable {
    // What a restore would fail by.
    case missing, empty, foreign, truncated, damaged
    case newerFormat = "newer-format"
    case partMissing = "part-missing"
    case loadFailed = "load-failed"
    case notLoaded = "not-loaded"
    case noKeys = "no-keys"
    case keysDiffer = "keys-differ"
    case slow
    case prefixGone = "prefix-gone"
    case tooOld = "too-old"
    case foreignStream = "foreign-repl-id"
    // Why it could not be judged.
    case memory, disk, binary, modules, interrupted, unreadable

    /// Whether it says nothing of the backup itself.
    var isUnknown: Bool {
      switch self {
      case .memory, .disk, .binary, .modules, .interrupted, .unreadable: true
      default: false
      }
    }

    /// Whether the backup cannot be restored at all; the others ask for somebody to look.
    var isFatal: Bool {
      switch self {
      case .missing, .empty, .foreign, .truncated, .damaged, .newerFormat, .partMissing, .loadFailed, .notLoaded,
        .noKeys:
        true
      default: false
      }
    }
  }

  public let kind: Kind
  public let text: String

  public init(_ kind: Kind, _ text: String) { (self.kind, self.text) = (kind, text) }

  public var description: String { text }

  /// That a program may not run, or not enter the folder, which says nothing of the file; nil where it did run.
  init?(unstarted outcome: ChildOutcome, _ program: String) {
    guard [.exited(126), .exited(127)].contains(outcome.end) else { return nil }
    let told = oneLine(String(outcome.output.split(separator: "\n").last ?? "").cut(toBytes: 200))
    let user = UnprivilegedUser.isNeeded ? " as nobody" : ""
    self.init(
      .binary,
      "\(program) \(outcome.end)\(user), or not below \(PrivateFolder.defaultParent), which TMPDIR names: \(told)")
  }

  /// What is wrong with a file that a server, or its check, does not take, by its output.
  ///
  /// - Parameter fallback: what it is where nothing of that is known.
  init(output: String, server: ServerBinary, fallback: Kind) {
    let lines = output.split(separator: "\n").map(String.init)
    func line(_ words: String...) -> String? {
      lines.last { line in words.contains { line.range(ofWords: $0) } }.map(Self.shown)
    }
    if let told = line("rdb format version", "rdb version") {
      self.init(.newerFormat, "\(server.title) cannot read it: \(told). There is no way back to an older version")
    } else if let told = line("module data", "no matching module", "can't load: no matching", "module type") {
      self.init(
        .modules, "it needs modules: \(told). Name a program in backup.server_binary that starts the server with them")
    } else if let told = line("out of memory", "cannot allocate", "can't allocate") {
      self.init(.memory, "\(server.title) ran out of memory: \(told)")
    } else if let told = line("no space left") {
      self.init(.disk, told)
    } else if let told = line(
      "unexpected eof", "unexpected end of file", "short read", "premature eof", "end of file reading", "truncated")
    {
      self.init(.truncated, "it is cut off: \(told)")
    } else if let told = line("wrong signature", "bad file format reading the append only file header") {
      self.init(.foreign, told)
    } else if let told = line("doesn't exist", "does not exist", "no such file") {
      self.init(.partMissing, told)
    } else if let told = line(
      "crc error", "checksum", "corrupt", "invalid", "bad file format", "unknown", "internal error", "wrong type",
      "rdb error", "error trying", "expected ")
    {
      self.init(.damaged, "it is damaged: \(told)")
    } else {
      self.init(
        fallback,
        lines.last.map { "\(server.title) does not take it: \(Self.shown($0))" } ?? "\(server.title) does not take it")
    }
  }

  /// Without what a server writes before each line, and without the names of keys, which a check may show.
  private static func shown(_ line: String) -> String {
    let text = line.firstRange(of: " # ") ?? line.firstRange(of: " * ")
    var shown = text.map { String(line[$0.upperBound...]) } ?? line
    for mark in ["key '", "key \"", "key: "] {
      if let place = shown.firstRange(of: mark) { shown = String(shown[..<place.lowerBound]) }
    }
    return oneLine(shown.cut(toBytes: 200)).trimmed
  }
}

extension String {
  fileprivate func range(ofWords words: String) -> Bool { lowercased().contains(words) }

  fileprivate var trimmed: String {
    var text = self[...]
    while let last = text.last, last.isWhitespace || last == "," { text.removeLast() }
    while let first = text.first, first.isWhitespace { text.removeFirst() }
    return String(text)
  }
}

extension RDBHeader {
  /// Valkey before 9 writes files as Redis does, and names itself in them.
  var isValkeyMade: Bool { isValkey || namesValkey }
}
