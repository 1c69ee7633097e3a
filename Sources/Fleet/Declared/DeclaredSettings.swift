import Config
import Runtime

/// What a redis.conf sets: of each setting the value that counts in the end.
public struct DeclaredSettings: Sendable, Equatable {
  struct Setting: Sendable, Equatable {
    /// That of today, with the class of clients behind it where it has one: `client-output-buffer-limit replica`.
    let name: String
    /// By which of these a server knows it depends on its version.
    let names: [String]
    let kind: SettingKind
    /// The class of clients of `client-output-buffer-limit`.
    var group: String?
    /// In the one form of all values that mean the same.
    let value: String
    /// As the file has it.
    let written: String
    let place: ConfPlace
  }

  /// A directive that is not compared.
  struct Exempt: Sendable, Equatable {
    let name: String
    let reason: String
    let place: ConfPlace
  }

  /// A command that the server must not know any more. Its new name is nobody's business.
  struct Renamed: Sendable, Equatable {
    /// In lower case.
    let command: String
    /// No other command has taken its place.
    let isRemoved: Bool
    let place: ConfPlace
  }

  /// In the order of their last lines.
  let settings: [Setting]
  let renamed: [Renamed]
  /// Each name once.
  let exempt: [Exempt]
  /// Whether the file makes the server a node of a cluster.
  let isCluster: Bool

  /// What CONFIG GET is asked for.
  var names: [String] { Set(settings.flatMap(\.names)).sorted() }

  /// What COMMAND INFO is asked about, in lower case.
  var commands: [String] { renamed.map(\.command) }

  /// - Parameter ignored: directives that are not compared since the configuration says so, by their names of today.
  /// - Throws: every directive that Redis would not take.
  init(_ file: ConfFile, ignored: Set<String> = []) throws(ConfigErrors) {
    var fold = Fold(ignored: ignored)
    var errors: [ConfigError] = []
    for directive in file.directives {
      do throws(Mismatch) { try fold.take(directive) } catch {
        let name = directive.name
        let isSecret = [.secret, .users].contains(SettingCatalogue.exemption(of: name))
        errors.append(
          ConfFile.error(
            directive.place, name, value: isSecret ? nil : directive.arguments.first.map { String(foreign: $0) },
            error.problem, hint: error.hint))
      }
    }
    guard errors.isEmpty else { throw ConfigErrors(Array(errors.prefix(50))) }
    settings = fold.settings
    renamed = fold.renamed
    exempt = fold.exempt
    isCluster = settings.contains { $0.name == "cluster-enabled" && $0.value == "yes" }
  }
}

/// Takes one directive after the other as Redis does: the last one counts, lists of rules grow, classes of clients are set
/// one by one.
private struct Fold {
  typealias Setting = DeclaredSettings.Setting

  let ignored: Set<String>
  private var byName: [String: Setting] = [:]
  private var order: [String] = []
  private var saveRules: [String] = []
  private var exemptions: [String: DeclaredSettings.Exempt] = [:]
  private var removed: [DeclaredSettings.Renamed] = []

  init(ignored: Set<String>) { self.ignored = ignored }

  var settings: [Setting] { order.compactMap { byName[$0] } }
  var renamed: [DeclaredSettings.Renamed] { removed }
  var exempt: [DeclaredSettings.Exempt] { exemptions.values.sorted { $0.name < $1.name } }

  mutating func take(_ directive: ConfDirective) throws(Mismatch) {
    let name = SettingCatalogue.canonical(directive.name)
    let arguments = directive.arguments
    switch name {
    case "rename-command":
      guard arguments.count == 2 else {
        throw Mismatch(
          "has not two values", hint: "write the command and its new name, or \"\" for none", isUnshown: true)
      }
      return rename(arguments, at: directive.place)
    case "sentinel":
      // Alone, it has the server be a Sentinel.
      guard arguments.isEmpty else {
        throw Mismatch("is no directive of redis.conf", hint: "name the file as sentinel_conf")
      }
      return
    default: break
    }
    if let exemption = SettingCatalogue.exemption(of: name) {
      guard !arguments.isEmpty else { throw Mismatch("has no value") }
      if [.secret, .users].contains(exemption) { Self.hide(arguments) }
      return leave(name, exemption.rawValue, at: directive.place)
    }
    let kind = SettingCatalogue.kind(of: name)
    let words = try kind.words(arguments)
    switch kind {
    case .bufferLimits:
      for (group, value) in try SettingKind.bufferLimits(words) {
        set(name, kind, group: group, value: value, written: value, at: directive.place)
      }
    case .save:
      _ = try kind.canonical(words)
      // Each line adds its rules; only an empty text takes them back.
      saveRules = words == [""] ? [] : saveRules + words
      let rules = saveRules.isEmpty ? [""] : saveRules
      set(
        name, kind, value: try kind.canonical(rules), written: rules.joined(separator: " "), at: directive.place)
    default:
      set(
        name, kind, value: try kind.canonical(words), written: words.joined(separator: " "), at: directive.place)
    }
  }

  private mutating func set(
    _ name: String, _ kind: SettingKind, group: String? = nil, value: String, written: String, at place: ConfPlace
  ) {
    guard !ignored.contains(name) else { return leave(name, "the configuration leaves it out", at: place) }
    let key = group.map { "\(name) \($0)" } ?? name
    order.removeAll { $0 == key }
    order.append(key)
    byName[key] = Setting(
      name: key, names: SettingCatalogue.names(of: name), kind: kind, group: group, value: value, written: written,
      place: place)
  }

  private mutating func leave(_ name: String, _ reason: String, at place: ConfPlace) {
    exemptions[name] = DeclaredSettings.Exempt(name: name, reason: reason, place: place)
  }

  /// Later lines see what earlier ones have done: a name that was given away may be given to another command.
  private mutating func rename(_ arguments: [[UInt8]], at place: ConfPlace) {
    let (old, new) = (String(foreign: arguments[0]).lowercased(), String(foreign: arguments[1]).lowercased())
    removed.removeAll { $0.command == old || $0.command == new }
    guard old != new else { return }
    removed.append(DeclaredSettings.Renamed(command: old, isRemoved: new.isEmpty, place: place))
  }

  /// From now on no text of others repeats these.
  private static func hide(_ arguments: [[UInt8]]) {
    for argument in arguments {
      let text = String(decoding: argument, as: UTF8.self)
      KnownSecrets.add(text)
      // `>password` of a user.
      if [">", "<", "#", "!"].contains(text.first) { KnownSecrets.add(String(text.dropFirst())) }
    }
  }
}
