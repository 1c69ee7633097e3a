/// Collects the errors of one file, so that a person sees all of them at once. Kept to 50.
final class Diagnostics {
  let file: String
  private(set) var errors: [ConfigError] = []
  /// Present while nothing is read but what could be is listed.
  let recorder: KeyRecorder?

  init(file: String, recorder: KeyRecorder? = nil) {
    self.file = file
    self.recorder = recorder
  }

  func report(_ mark: SourceMark, path: String, value: String? = nil, problem: String, hint: String? = nil) {
    guard errors.count < 50 else { return }
    errors.append(ConfigError(.file(file, mark), path: path, value: value, problem: problem, hint: hint))
  }
}

/// Reads the fields of one mapping by name and type. Keys that nobody asked for are errors.
///
/// A wrong or missing field is noted and reading goes on with a stand-in value; `YAMLNode.decode` throws what was noted
/// and drops the result. So the code that fills a struct needs no error handling of its own:
/// ```
/// let tls = try node.decode(file: path) { fields in
///   TLS(
///     certificate: fields.required("cert_file", .nonEmptyString),
///     port: fields.value("port", .int(1...65535), default: 443))
/// }
/// ```
/// A key whose value is null counts as left out. Not to be kept after the closure it was given to.
///
/// The `meaning` of a key is a sentence for the reference, which is made of what the reader is asked (``KeyRecorder``);
/// `shown` is how it writes the default where the value does not tell.
public final class MappingReader {
  /// The place of the mapping in the document, such as `workloads[0]`; empty at the top.
  public let path: String
  public let mark: SourceMark
  private let entries: [String: YAMLNode.Entry]
  private let order: [String]
  private var askedKeys: [String] = []
  /// Whether one of the keys is a secret: another key may then be one that is written in its place.
  private var holdsSecret = false
  private let diagnostics: Diagnostics

  init(_ node: YAMLNode, path: String, diagnostics: Diagnostics) {
    self.path = path
    self.mark = node.mark
    var pairs: [YAMLNode.Entry] = []
    if case .mapping(let found) = node.content {
      pairs = found
      self.diagnostics = diagnostics
    } else if node.isNull {
      self.diagnostics = diagnostics
    } else {
      diagnostics.report(node.mark, path: path, problem: "a mapping is expected here, not \(node.kindName)")
      // What its fields lack is no news after that.
      self.diagnostics = Diagnostics(file: diagnostics.file, recorder: diagnostics.recorder)
    }
    order = pairs.map(\.key)
    entries = Dictionary(pairs.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// Keys in the order of the file, for mappings whose keys are names given by the user.
  public var keys: [String] { order }

  public func contains(_ key: String) -> Bool { entries[key].map { !$0.value.isNull } ?? false }

  /// True for a list that was written and holds nothing.
  public func hasEmptyList(_ key: String) -> Bool { entries[key]?.value.content == .sequence([]) }

  /// True for a value that is neither a list nor a mapping.
  func isSingleValue(_ key: String) -> Bool {
    if case .scalar = entries[key]?.value.content { true } else { false }
  }

  // MARK: Single values

  public func optional<Value>(
    _ key: String, _ type: ScalarType<Value>, _ meaning: String = "", shown: String = ""
  ) -> Value? {
    record(key, type, meaning, default: shown)
    return read(key, type)
  }

  public func value<Value>(
    _ key: String, _ type: ScalarType<Value>, default: Value, _ meaning: String = "", shown: String? = nil
  ) -> Value {
    record(key, type, meaning, default: shown ?? ConfigKey.text(of: `default`))
    return read(key, type) ?? `default`
  }

  public func required<Value>(_ key: String, _ type: ScalarType<Value>, _ meaning: String = "") -> Value {
    record(key, type, meaning, isRequired: true)
    if let value = read(key, type) { return value }
    reportMissing(key)
    return type.placeholder
  }

  /// A secret under `key` itself, or under `key_file`, `key_env` or `key_credential`; at most one of them.
  public func secret(_ key: String, _ meaning: String = "") -> SecretSource? {
    holdsSecret = true
    let found: [(key: String, source: SecretSource)] = [
      optional(key, .secret, meaning).map { (key, .literal($0)) },
      optional("\(key)_file", .nonEmptyString, "File that holds `\(key)`; read again at each use.")
        .map { ("\(key)_file", .file($0)) },
      optional("\(key)_env", .nonEmptyString, "Environment variable that holds `\(key)`.")
        .map { ("\(key)_env", .environment($0)) },
      optional("\(key)_credential", .nonEmptyString, "Credential of systemd that holds `\(key)`.")
        .map { ("\(key)_credential", .credential($0)) },
    ].compactMap { $0 }
    if found.count > 1 { report(found[1].key, problem: "conflicts with \(found[0].key)", hint: "keep one of them") }
    return found.first?.source
  }

  // MARK: Lists and mappings

  /// The values of a list; a key left out gives an empty one.
  public func list<Value>(
    _ key: String, of type: ScalarType<Value>, _ meaning: String = "", shown: String = ""
  ) -> [Value] {
    record(key, type, meaning, default: shown, isList: true)
    return items(key).map { scalar($0.node, type, path: $0.path) }
  }

  /// The mappings of a list; a key left out gives an empty one.
  public func mappings<Value>(_ key: String, _ meaning: String = "", _ body: (MappingReader) -> Value) -> [Value] {
    if let recorder = diagnostics.recorder {
      recorder.add(ConfigKey(path: path(key), type: ConfigKey.listOfMappings, meaning: meaning))
      return [body(empty("\(path(key))[]"))]
    }
    return items(key).map { read($0.node, path: $0.path, body) }
  }

  public func mapping<Value>(_ key: String, _ meaning: String = "", _ body: (MappingReader) -> Value) -> Value? {
    if let recorder = diagnostics.recorder {
      recorder.add(ConfigKey(path: path(key), type: ConfigKey.mapping, meaning: meaning))
      return body(empty(path(key)))
    }
    return node(key).map { read($0, path: path(key), body) }
  }

  /// A mapping that must be there; when it is not, the closure still runs, on an empty one.
  public func requiredMapping<Value>(_ key: String, _ body: (MappingReader) -> Value) -> Value {
    if let value = mapping(key, "", body) { return value }
    reportMissing(key)
    return body(MappingReader(.emptyMapping, path: path(key), diagnostics: Diagnostics(file: diagnostics.file)))
  }

  /// A mapping from names of the user's choice to values of one type; a key left out gives an empty one.
  public func dictionary<Value>(_ key: String, of type: ScalarType<Value>) -> [String: Value] {
    mapping(key) { fields in
      Dictionary(uniqueKeysWithValues: fields.keys.map { ($0, fields.required($0, type)) })
    } ?? [:]
  }

  // MARK: Rules over several fields

  /// Notes that the field is wrong for a reason that its type does not know.
  public func report(_ key: String, value: String? = nil, problem: String, hint: String? = nil) {
    let place = entries[key].map { $0.value.isNull ? $0.keyMark : $0.value.mark } ?? mark
    diagnostics.report(place, path: path(key), value: value, problem: problem, hint: hint)
  }

  /// As above, at a place inside the field's value.
  public func report(
    _ key: String, at mark: SourceMark, value: String? = nil, problem: String, hint: String? = nil
  ) {
    diagnostics.report(mark, path: path(key), value: value, problem: problem, hint: hint)
  }

  /// Where the value of a key starts, or nil when the key is left out.
  public func mark(of key: String) -> SourceMark? {
    entries[key].flatMap { $0.value.isNull ? nil : $0.value.mark }
  }

  // MARK: Inside

  private func read<Value>(_ key: String, _ type: ScalarType<Value>) -> Value? {
    node(key).map { scalar($0, type, path: path(key)) }
  }

  private func record<Value>(
    _ key: String, _ type: ScalarType<Value>, _ meaning: String, default: @autoclosure () -> String = "",
    isRequired: Bool = false, isList: Bool = false
  ) {
    guard let recorder = diagnostics.recorder else { return }
    let name = isList ? "list of \(type.name)\(type.name.hasSuffix("s") ? "es" : "s")" : type.name
    recorder.add(
      ConfigKey(
        path: path(key), type: name, range: type.range, default: `default`(), isRequired: isRequired, meaning: meaning))
  }

  /// Nothing to read: what is asked of it is recorded.
  private func empty(_ path: String) -> MappingReader {
    MappingReader(diagnostics.recorder?.given[path] ?? .emptyMapping, path: path, diagnostics: diagnostics)
  }

  /// The value of a key, nil when it is left out or null. The key counts as known from here on.
  private func node(_ key: String) -> YAMLNode? {
    askedKeys.append(key)
    guard let node = entries[key]?.value, !node.isNull else { return nil }
    return node
  }

  private func items(_ key: String) -> [(node: YAMLNode, path: String)] {
    guard let node = node(key) else { return [] }
    guard case .sequence(let items) = node.content else {
      diagnostics.report(node.mark, path: path(key), problem: "a list is expected here, not \(node.kindName)")
      return []
    }
    return items.enumerated().map { ($0.element, "\(path(key))[\($0.offset)]") }
  }

  private func scalar<Value>(_ node: YAMLNode, _ type: ScalarType<Value>, path: String) -> Value {
    guard case .scalar(let text, _) = node.content else {
      diagnostics.report(node.mark, path: path, problem: "a single value is expected here, not \(node.kindName)")
      return type.placeholder
    }
    do {
      return try type.parse(text)
    } catch {
      diagnostics.report(
        node.mark, path: path, value: type.isSecret || error.isUnshown ? nil : error.part ?? text,
        problem: error.problem,
        hint: error.hint)
      return type.placeholder
    }
  }

  private func read<Value>(_ node: YAMLNode, path: String, _ body: (MappingReader) -> Value) -> Value {
    let fields = MappingReader(node, path: path, diagnostics: diagnostics)
    let value = body(fields)
    fields.reportUnknownKeys()
    return value
  }

  func reportUnknownKeys() {
    for key in order where !askedKeys.contains(key) {
      guard let entry = entries[key] else { continue }
      let suggestion = nearest(to: key, in: askedKeys).map { "did you mean \(quoted($0))?" }
      let all = askedKeys.isEmpty ? nil : "known keys are \(Set(askedKeys).sorted().joined(separator: ", "))"
      let problem =
        (holdsSecret && suggestion == nil) || key.contains("@") ? "unknown key" : "unknown key \(quoted(key))"
      diagnostics.report(entry.keyMark, path: path, problem: problem, hint: suggestion ?? all)
    }
  }

  private func reportMissing(_ key: String) {
    diagnostics.report(mark, path: path(key), problem: "is missing")
  }

  /// A key that is an address with a password in it is not shown.
  private func path(_ key: String) -> String {
    let shown = key.contains("@") ? "…" : key
    return path.isEmpty ? shown : "\(path).\(shown)"
  }
}

extension YAMLNode {
  static let emptyMapping = YAMLNode(content: .mapping([]), mark: SourceMark(line: 1, column: 1))

  /// Decodes the top of a document, a mapping (an empty document is an empty one), and throws all errors in file order.
  public func decode<Value>(file: String, _ body: (MappingReader) -> Value) throws(ConfigErrors) -> Value {
    let diagnostics = Diagnostics(file: file)
    let fields = MappingReader(self, path: "", diagnostics: diagnostics)
    let value = body(fields)
    fields.reportUnknownKeys()
    guard diagnostics.errors.isEmpty else {
      throw ConfigErrors(diagnostics.errors.sorted { Self.mark(of: $0) < Self.mark(of: $1) })
    }
    return value
  }

  private static func mark(of error: ConfigError) -> SourceMark {
    guard case .file(_, .some(let mark)) = error.origin else { return SourceMark(line: 0, column: 0) }
    return mark
  }
}

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
