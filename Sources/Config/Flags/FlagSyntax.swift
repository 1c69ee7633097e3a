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
