/// A key that a configuration may have, as its reader asks for it.
struct ConfigKey: Sendable, Equatable {
  static let mapping = "mapping"
  static let listOfMappings = "list of mappings"

  /// Its place, such as `workloads[].name`.
  let path: String
  let type: String
  var range = ""
  /// As it would be written; empty for none.
  var `default` = ""
  var isRequired = false
  /// A sentence or two; empty for keys of files that have no reference.
  let meaning: String

  /// The place of the mapping that it stands in; empty for the top.
  var parent: String { path.lastIndex(of: ".").map { String(path[..<$0]) } ?? "" }

  /// The key alone.
  var name: Substring { path.lastIndex(of: ".").map { path[path.index(after: $0)...] } ?? path[...] }

  /// A default as the file would have it.
  static func text(of value: some Any) -> String {
    switch value {
    case let duration as Duration: durationText(duration)
    case let word as any RawRepresentable<String>: word.rawValue
    case let optional as (any Sendable)?: optional.map { "\($0)" } ?? ""
    default: "\(value)"
    }
  }
}

/// Notes which keys a reader is asked for, when there is no document: every block is read once, as if it were there.
final class KeyRecorder {
  /// In the order in which they were asked for, each once.
  private(set) var keys: [ConfigKey] = []
  /// What stands at some places after all, because it decides what else is asked for.
  let given: [String: YAMLNode]
  private var seen: Set<String> = []

  init(given: [String: YAMLNode]) {
    self.given = given
  }

  func add(_ key: ConfigKey) {
    if seen.insert(key.path).inserted { keys.append(key) }
  }
}
