import Config
import Redis
import Runtime

/// How one server stands to the file that declares its settings.
public struct DeclaredDrift: Sendable, Equatable {
  public enum Verdict: Sendable, Equatable {
    case same, differs
    /// What is missing: a right such as `+config|get`, or why nothing is known.
    case unknown(String)
    /// Why it is not compared.
    case exempt(String)
  }

  /// One setting, or one command that is to be renamed.
  public struct Setting: Sendable, Equatable {
    public let name: String
    /// As the file has it, bounded; nil for what is not compared.
    public let declared: String?
    public let place: ConfPlace
    /// What the server runs with, bounded; nil where that is not known, or where it has nothing of that name.
    public let running: String?
    public let verdict: Verdict

    init(_ name: String, declared: String?, _ place: ConfPlace, running: String? = nil, _ verdict: Verdict) {
      func shown(_ text: String) -> String {
        KnownSecrets.masked(oneLine(text.cut(toBytes: DeclaredDrift.valueBytes)), sparesWords: true)
      }
      self.name = oneLine(name)
      self.declared = declared.map(shown)
      self.place = place
      self.running = running.map(shown)
      self.verdict = verdict
    }
  }

  /// Of a value that is shown.
  static let valueBytes = 128
  /// Settings that a finding and an event name.
  static let listed = 20

  /// In the order of the file; what is not compared comes last.
  public let settings: [Setting]

  public var differing: [Setting] { settings.filter { $0.verdict == .differs } }

  /// Why some cannot be compared, each reason once.
  public var unknowns: [String] {
    var reasons: [String] = []
    for setting in settings {
      if case .unknown(let reason) = setting.verdict, !reasons.contains(reason) { reasons.append(reason) }
    }
    return reasons
  }

  /// How many differ; nil where too little is known to say that none does.
  public var count: Int? {
    let count = differing.count
    return count > 0 || unknowns.isEmpty ? count : nil
  }

  /// `differs from cache.conf in 2 settings: maxmemory (1gb in line 12, runs with 536870912), save (…)`; nil where nothing
  /// differs.
  public func text(of file: String) -> String? {
    let differing = differing
    guard !differing.isEmpty else { return nil }
    let name = ConfPlace.name(of: file)
    let list = differing.prefix(Self.listed).map { setting in
      let declared = setting.declared.map { $0.isEmpty ? "empty" : $0 } ?? ""
      let line = setting.place.file == file ? "line \(setting.place.line)" : setting.place.name
      let running = setting.running.map { $0.isEmpty ? "runs with none" : "runs with \($0)" } ?? "the server has none"
      return "\(setting.name) (\(declared) in \(line), \(running))"
    }
    let more = differing.count > Self.listed ? ", \(differing.count - Self.listed) more" : ""
    let noun = differing.count == 1 ? "setting" : "settings"
    return "differs from \(name) in \(differing.count) \(noun): \(list.joined(separator: ", "))\(more)"
  }
}

extension DeclaredSettings {
  static let notAsked = "the server was not asked yet"

  /// Compares with what a server says.
  ///
  /// - Parameters:
  ///   - answers: what CONFIG GET said.
  ///   - asked: the names that it was asked for: those of an older file may be others than ``names``.
  ///   - told: settings that INFO has, by name, for servers that let nobody see CONFIG.
  ///   - commands: whether the server knows each of ``commands``.
  func drift(
    answers: AuditAnswer<[String: String]>, asked: Set<String>, told: [String: String],
    commands: AuditAnswer<[String: Bool]>
  ) -> DeclaredDrift {
    DeclaredDrift(
      settings: settings.map { drift(of: $0, answers, asked, told) }
        + renamed.map { Self.drift(of: $0, commands) }
        + exempt.map { DeclaredDrift.Setting($0.name, declared: nil, $0.place, .exempt($0.reason)) })
  }

  private func drift(
    of setting: Setting, _ answers: AuditAnswer<[String: String]>, _ asked: Set<String>, _ told: [String: String]
  ) -> DeclaredDrift.Setting {
    func result(_ running: String?, _ verdict: DeclaredDrift.Verdict) -> DeclaredDrift.Setting {
      DeclaredDrift.Setting(setting.name, declared: setting.written, setting.place, running: running, verdict)
    }
    let answer: String?
    switch answers {
    case .known(let values):
      guard setting.names.contains(where: asked.contains) else { return result(nil, .unknown(Self.notAsked)) }
      answer = setting.names.lazy.compactMap { values[$0] }.first
    case .unknown(let reason):
      guard let value = told[setting.name] else { return result(nil, .unknown(reason)) }
      answer = value
    }
    guard let answer else {
      return result(nil, SettingCatalogue.silence(of: setting.name).map { .exempt($0.rawValue) } ?? .differs)
    }
    // A node of a cluster has one database, whatever its file says.
    if setting.name == "databases", isCluster, answer == "1" { return result(answer, .same) }
    guard let group = setting.group else {
      return result(answer, setting.kind.isSame(setting.value, answer: answer) ? .same : .differs)
    }
    let words = answer.split(separator: " ").map(String.init)
    guard let limits = try? SettingKind.bufferLimits(words), let running = limits[group] else {
      return result(nil, .unknown("its answer cannot be read"))
    }
    return result(running, running == setting.value ? .same : .differs)
  }

  private static func drift(of renamed: Renamed, _ commands: AuditAnswer<[String: Bool]>) -> DeclaredDrift.Setting {
    let name = renamed.command.uppercased()
    func result(_ running: String?, _ verdict: DeclaredDrift.Verdict) -> DeclaredDrift.Setting {
      DeclaredDrift.Setting(
        "rename-command \(name)", declared: renamed.isRemoved ? "no command" : "another name", renamed.place,
        running: running, verdict)
    }
    switch commands {
    case .unknown(let reason): return result(nil, .unknown(reason))
    case .known(let known):
      guard let isThere = known[renamed.command] else { return result(nil, .unknown(notAsked)) }
      return isThere ? result(name, .differs) : result(nil, .same)
    }
  }
}

extension DeclaredSentinel {
  /// Compares with what a Sentinel says of the master.
  func drift(_ master: MonitoredMaster) -> DeclaredDrift {
    DeclaredDrift(
      settings: settings.map { setting in
        let running =
          switch setting.name {
          case .quorum: master.quorum
          case .downAfter: master.downAfterMs
          case .failoverTimeout: master.failoverTimeoutMs
          case .parallelSyncs: master.parallelSyncs
          }
        return DeclaredDrift.Setting(
          "sentinel \(setting.name.rawValue)", declared: String(setting.value), setting.place, running: String(running),
          running == setting.value ? .same : .differs)
      })
  }
}
