import Config
import Runtime

/// What a sentinel.conf says of one master.
public struct DeclaredSentinel: Sendable, Equatable {
  struct Setting: Sendable, Equatable {
    enum Name: String, Sendable, CaseIterable {
      case quorum
      case downAfter = "down-after-milliseconds"
      case failoverTimeout = "failover-timeout"
      case parallelSyncs = "parallel-syncs"
    }

    let name: Name
    let value: Int
    let place: ConfPlace
  }

  let masterName: String
  let settings: [Setting]

  /// - Throws: what Redis would not take, and a file that does not monitor the master.
  init(_ file: ConfFile, path: String, masterName: String) throws(ConfigErrors) {
    self.masterName = masterName
    var found: [Setting.Name: Setting] = [:]
    var errors: [ConfigError] = []
    for directive in file.directives where directive.name == "sentinel" && !directive.arguments.isEmpty {
      let words = directive.arguments.map { String(foreign: $0) }
      Self.hide(words)
      do throws(Mismatch) {
        guard let setting = try Self.setting(words, of: masterName, at: directive.place) else { continue }
        if setting.name == .quorum, found[.quorum] != nil {
          throw Mismatch("is monitored twice", hint: "keep one line")
        }
        found[setting.name] = setting
      } catch {
        errors.append(
          ConfFile.error(directive.place, "sentinel \(words[0].lowercased())", error.problem, hint: error.hint))
      }
    }
    if errors.isEmpty, found[.quorum] == nil {
      errors.append(
        ConfigError(
          .file(path, nil), value: masterName, problem: "is monitored nowhere in it",
          hint: "add sentinel monitor, or correct sentinel.master_name"))
    }
    guard errors.isEmpty else { throw ConfigErrors(errors) }
    settings = Setting.Name.allCases.compactMap { found[$0] }
  }

  /// nil for what is not compared.
  private static func setting(
    _ words: [String], of masterName: String, at place: ConfPlace
  ) throws(Mismatch) -> Setting? {
    let verb = words[0].lowercased()
    let name: Setting.Name
    let count: Int
    switch verb {
    case "monitor": (name, count) = (.quorum, 5)
    case Setting.Name.downAfter.rawValue: (name, count) = (.downAfter, 3)
    case Setting.Name.failoverTimeout.rawValue: (name, count) = (.failoverTimeout, 3)
    case Setting.Name.parallelSyncs.rawValue: (name, count) = (.parallelSyncs, 3)
    default: return nil
    }
    guard words.count == count else {
      throw Mismatch(
        "has not \(count - 1) values",
        hint: verb == "monitor"
          ? "write the master's name, host, port and quorum" : "write the master's name and a number")
    }
    guard words[1] == masterName else { return nil }
    guard let value = Int(words[count - 1]), value >= (name == .parallelSyncs ? 0 : 1) else {
      throw Mismatch("has a value that is no number it can have", hint: "write a whole number of 1 or more")
    }
    return Setting(name: name, value: value, place: place)
  }

  private static func hide(_ words: [String]) {
    guard let secret = words.last, words.count > 1,
      ["auth-pass", "sentinel-pass", "auth-user", "sentinel-user"].contains(words[0].lowercased())
    else { return }
    KnownSecrets.add(secret)
  }
}
