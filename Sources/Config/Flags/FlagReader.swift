/// The value of every flag: from the command line, else from the environment, else the default.
///
/// As in `MappingReader`, a wrong value is noted, the reading goes on with a stand-in, and `finish` throws what was
/// noted.
final class FlagReader {
  private struct Given {
    let text: String
    let origin: ConfigError.Origin
  }

  private let flags: [String: Flag]
  private var given: [String: Given] = [:]
  private var errors: [ConfigError] = []
  private(set) var askedNames: Set<String> = []

  init(_ flags: [Flag] = Flags.all, arguments: [(flag: Flag, text: String)], environment: [String: String]) {
    self.flags = Dictionary(uniqueKeysWithValues: flags.map { ($0.name, $0) })
    for flag in flags {
      // Set and empty counts as set, as in redis_exporter.
      guard let variable = flag.variable, let text = environment[variable] else { continue }
      given[flag.name] = Given(text: text, origin: .environment(variable))
    }
    for argument in arguments {
      given[argument.flag.name] = Given(text: argument.text, origin: .flag(argument.flag.name))
    }
  }

  // MARK: Values by the table's type

  func string(_ name: String) -> String { read(name, .string) }
  func secret(_ name: String) -> Secret { read(name, .secret) }
  func bool(_ name: String) -> Bool { read(name, .goBool) }

  func int(_ name: String) -> Int {
    guard case .int(let range) = flag(name).kind else { preconditionFailure("flag \(name) is no int") }
    return read(name, .int(range))
  }

  func share(_ name: String) -> Double {
    guard case .share(let limit) = flag(name).kind else { preconditionFailure("flag \(name) is no share") }
    return read(name, .share(upTo: limit))
  }

  func duration(_ name: String) -> Duration {
    guard case .duration(let range) = flag(name).kind else { preconditionFailure("flag \(name) is no duration") }
    return read(name, .duration(.go, range))
  }

  /// The word as the table spells it.
  func choice(_ name: String) -> String {
    guard case .choice(let words) = flag(name).kind else { preconditionFailure("flag \(name) is no choice") }
    let type = ScalarType(placeholder: words[0]) { text throws(Mismatch) in
      guard let word = words.first(where: { $0.lowercased() == text.lowercased() }) else {
        throw Mismatch("is not known", hint: "use one of \(words.joined(separator: ", "))")
      }
      return word
    }
    return read(name, type)
  }

  /// A string with a grammar of its own.
  func parsed<Value: Sendable>(
    _ name: String, placeholder: Value, _ parse: @escaping @Sendable (String) throws(Mismatch) -> Value
  ) -> Value {
    read(name, ScalarType(placeholder: placeholder, parse: parse))
  }

  /// The string, or nil when it is empty.
  func optionalString(_ name: String) -> String? {
    let text = string(name)
    return text.isEmpty ? nil : text
  }

  /// True for a value that stands on the command line, where every user of the machine can read it.
  func isOnCommandLine(_ name: String) -> Bool { given[name]?.origin == .flag(name) }

  /// Where a value was written and its text; nil when the default holds.
  func given(_ name: String) -> (origin: ConfigError.Origin, text: String)? {
    given[name].map { ($0.origin, $0.text) }
  }

  func kind(_ name: String) -> Flag.Kind { flag(name).kind }

  // MARK: Errors

  /// Notes a rule that the flag's type does not know.
  func report(_ name: String, value: String? = nil, problem: String, hint: String? = nil) {
    errors.append(ConfigError(given[name]?.origin ?? .flag(name), value: value, problem: problem, hint: hint))
  }

  func finish() throws(ConfigErrors) {
    if !errors.isEmpty { throw ConfigErrors(errors) }
  }

  private func read<Value>(_ name: String, _ type: ScalarType<Value>) -> Value {
    let flag = flag(name)
    askedNames.insert(name)
    let text = given[name]?.text ?? flag.defaultText
    do {
      return try type.parse(text)
    } catch {
      report(
        name, value: flag.isSecret || error.isUnshown ? nil : error.part ?? text, problem: error.problem,
        hint: error.hint)
      return type.placeholder
    }
  }

  private func flag(_ name: String) -> Flag {
    guard let flag = flags[name] else { preconditionFailure("no flag is called \(name)") }
    return flag
  }
}
