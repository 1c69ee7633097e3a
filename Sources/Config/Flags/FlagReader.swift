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

/// The command line as Go's `flag` package reads it: `-x v`, `--x v`, `-x=v`, `--x=v`; a boolean takes a value only
/// after `=`; any other flag takes the next word, whatever it looks like; `--` ends the flags.
struct FlagSyntax {
  enum Result {
    /// The texts by flag name in the order given; `-help` and `-h` win over all that follows them.
    case given([(flag: Flag, text: String)])
    case help
  }

  let flags: [String: Flag]

  init(_ flags: [Flag] = Flags.all) {
    self.flags = Dictionary(uniqueKeysWithValues: flags.map { ($0.name, $0) })
  }

  /// Errors: an unknown flag, a flag without its value, words that belong to no flag. A value is never part of them.
  func parse(_ arguments: [String]) throws(ConfigError) -> Result {
    var given: [(flag: Flag, text: String)] = []
    var rest = arguments[...]
    while let word = rest.first {
      guard word.utf8.count > 1, word.utf8.first == UInt8(ascii: "-") else {
        throw leftover(rest, after: given.last?.flag)
      }
      rest.removeFirst()
      if word == "--" {
        if rest.isEmpty { break }
        throw leftover(rest, after: nil)
      }
      let body = Substring(word.unicodeScalars.dropFirst(word.utf8.starts(with: "--".utf8) ? 2 : 1))
      let equals = body.unicodeScalars.firstIndex(of: "=")
      let name = String(equals.map { body[..<$0] } ?? body)
      let value = equals.map { String(body.unicodeScalars[$0...].dropFirst()) }
      guard !name.isEmpty, name.utf8.first != UInt8(ascii: "-") else {
        throw ConfigError(
          .commandLine, problem: "a word that starts with dashes names no flag", hint: "write -flag=value")
      }
      guard let flag = flags[name] else {
        if name == "h" || name == "help" { return .help }
        throw unknown(name)
      }
      if let value {
        given.append((flag, value))
      } else if flag.isBool {
        given.append((flag, "true"))
      } else if let next = rest.popFirst() {
        given.append((flag, next))
      } else {
        throw ConfigError(.flag(name), problem: "needs a value", hint: "write -\(name)=VALUE")
      }
    }
    return .given(given)
  }

  private func unknown(_ name: String) -> ConfigError {
    let hint = nearest(to: name, in: flags.keys.sorted()).map { "did you mean -\($0)?" } ?? "-help lists all flags"
    return ConfigError(.flag(name), problem: "is not known", hint: hint)
  }

  /// Names the words up to the next flag, since what follows one may be a secret; none behind a secret, because they may
  /// be the rest of it.
  private func leftover(_ words: ArraySlice<String>, after flag: Flag?) -> ConfigError {
    if let flag, flag.isSecret {
      return ConfigError(
        .flag(flag.name), problem: "is followed by words that belong to no flag", hint: "quote a value with spaces")
    }
    let named = words.prefix { !$0.hasPrefix("-") || $0 == "-" }
    let list = (named.isEmpty ? words.prefix(1) : named).map(quoted).joined(separator: " ")
    let hint: String? =
      if let flag, flag.isBool { "a boolean takes its value after =, as in -\(flag.name)=false" } else { nil }
    return ConfigError(.commandLine, problem: "unexpected words \(list)", hint: hint)
  }
}
