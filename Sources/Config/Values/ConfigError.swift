import Runtime

/// A place in a text file: line and column both count from 1, the column in characters.
public struct SourceMark: Sendable, Hashable, Comparable {
  public let line: Int
  public let column: Int

  public init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }

  public static func < (a: SourceMark, b: SourceMark) -> Bool {
    (a.line, a.column) < (b.line, b.column)
  }
}

/// One thing that is wrong in the configuration, said so that it can be found and mended.
///
/// Printed as `redline.yml:12:5: workloads[0].kind: "cachee" is not a workload kind; use one of cache, session`.
/// The value of a secret is never part of it.
public struct ConfigError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Where the value was written.
  public enum Origin: Sendable, Equatable {
    /// A file, with the place inside it where one is known.
    case file(String, SourceMark?)
    /// A flag of the command line, named without its dashes.
    case flag(String)
    /// An environment variable.
    case environment(String)
    /// The command line as a whole.
    case commandLine
  }

  public let origin: Origin
  /// The field within the file, such as `workloads[0].kind`; empty for the file as a whole.
  public let path: String
  /// The offending text, or nil when there is none or when it must not be shown.
  public let value: String?
  /// What is wrong, as the end of a sentence that starts with the value: `is not a duration`.
  public let problem: String
  /// What to write instead.
  public let hint: String?

  public init(_ origin: Origin, path: String = "", value: String? = nil, problem: String, hint: String? = nil) {
    self.origin = origin
    self.path = path
    self.value = value
    self.problem = problem
    self.hint = hint
  }

  public var description: String {
    var text = place
    if !path.isEmpty { text += "\(path): " }
    if let value { text += "\(quoted(value)) " }
    text += problem
    if let hint { text += "; \(hint)" }
    return text
  }

  private var place: String {
    switch origin {
    case .file(let name, nil): "\(name): "
    case .file(let name, .some(let mark)): "\(name):\(mark.line):\(mark.column): "
    case .flag(let name): "flag -\(name): "
    case .environment(let name): "environment variable \(name): "
    case .commandLine: ""
    }
  }
}

/// Everything that is wrong in one source, in the order of the source; never empty.
public struct ConfigErrors: Error, Sendable, Equatable, CustomStringConvertible {
  public let errors: [ConfigError]

  public init(_ errors: [ConfigError]) {
    precondition(!errors.isEmpty, "ConfigErrors without an error")
    self.errors = errors
  }

  public init(_ error: ConfigError) {
    self.init([error])
  }

  /// One error a line.
  public var description: String {
    errors.map(\.description).joined(separator: "\n")
  }
}

/// Text in double quotes, what would not be seen escaped, cut after 80 characters: errors go to terminals and logs.
public func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars.prefix(80) {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\t": result += "\\t"
    case _ where scalar.isInvisible:
      result += "\\u{\(String(scalar.value, radix: 16))}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  if text.unicodeScalars.count > 80 { result += "…" }
  return result + "\""
}

/// The candidate closest to a misspelt name, or nil when none is close: at most a third of its characters may be wrong.
///
/// - Parameter limit: the most slips, where a third of the letters is too many.
public func nearest<Candidates: Sequence<String>>(
  to name: String, in candidates: Candidates, within limit: Int = .max
) -> String? {
  let lengthLimit = 64
  guard name.utf8.count <= lengthLimit else { return nil }
  var best: (name: String, distance: Int)?
  for candidate in candidates where candidate.utf8.count <= lengthLimit {
    let distance = editDistance(Array(name.lowercased().utf8), Array(candidate.lowercased().utf8))
    guard distance <= min(limit, max(1, min(name.utf8.count, candidate.utf8.count) / 3)) else { continue }
    if distance < best?.distance ?? .max { best = (candidate, distance) }
  }
  return best?.name
}

/// Insertions, deletions, replacements and swaps of neighbours between two texts (optimal string alignment).
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
  var beforeLast = [Int](repeating: 0, count: b.count + 1)
  var last = Array(0...b.count)
  for i in 1...a.count {
    var row = [i] + [Int](repeating: 0, count: b.count)
    for j in 1...b.count {
      let replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
      row[j] = min(replaced, last[j] + 1, row[j - 1] + 1)
      if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
        row[j] = min(row[j], beforeLast[j - 2] + 1)
      }
    }
    (beforeLast, last) = (last, row)
  }
  return last[b.count]
}
