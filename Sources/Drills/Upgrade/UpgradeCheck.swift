import Config
import Fleet
import Redis
import Runtime

/// What is known before an upgrade, and what it comes to. Pure: it asks nobody.
public struct UpgradeCheck: Sendable {
  /// What a line of the check is about. Raw values are names of checks.
  public enum Subject: String, Sendable, CaseIterable {
    case members = "upgrade-members"
    case releases = "upgrade-releases"
    case format = "upgrade-format"
    case replicas = "upgrade-replicas"
    case backup = "upgrade-backup"
    case modules = "upgrade-modules"
    case commands = "upgrade-commands"
    case settings = "upgrade-settings"
    case defaults = "upgrade-defaults"
    case sentinels = "upgrade-sentinels"
  }

  let workload: WorkloadConfig
  public let target: ServerRelease
  let servers: [UpgradeServer]
  /// The last verification of a backup that had a verdict; nil where nobody could tell.
  let backup: CheckReport?
  let now: WallTime

  /// How old a backup may be.
  static let backupSeconds = 86_400.0

  public init(
    _ workload: WorkloadConfig, to target: ServerRelease, _ servers: [UpgradeServer], backup: CheckReport?,
    now: WallTime
  ) {
    (self.workload, self.target, self.servers, self.backup, self.now) = (workload, target, servers, backup, now)
  }

  /// Servers of data, Sentinels apart.
  var members: [UpgradeServer] { servers.filter { $0.role != .sentinel } }
  var sentinels: [UpgradeServer] { servers.filter { $0.role == .sentinel } }
  var masters: [UpgradeServer] { members.filter { $0.role == .master } }
  private var answering: [UpgradeServer] { members.filter { $0.silence == nil } }
  /// The releases that run now, the oldest first, each once.
  private var releases: [ServerRelease] {
    var found: [ServerRelease] = []
    for release in members.compactMap(\.release) where !found.contains(release) { found.append(release) }
    return found.sorted { ($0.product.rawValue, $0.version) < ($1.product.rawValue, $1.version) }
  }

  /// Every line, in the order of ``Subject``.
  public var results: [CheckResult] {
    guard !members.isEmpty else {
      return Subject.allCases.map { unknown($0, "no server of the workload was found") }
    }
    return [memberLine, releaseLine] + formatLines + [replicaLine, backupLine] + [moduleLine, commandLine]
      + settingLines + [sentinelLine].compactMap { $0 }
  }

  // MARK: Lines

  func ok(_ subject: Subject, _ text: String) -> CheckResult { line(subject, .ok, nil, text) }

  func finding(_ subject: Subject, _ severity: Finding.Severity, _ text: String) -> CheckResult {
    line(subject, .finding, severity, text)
  }

  func unknown(_ subject: Subject, _ reason: String) -> CheckResult {
    CheckResult(
      check: subject.rawValue, group: .posture, workload: workload.name, answer: .unknown, reason: reason)
  }

  private func line(
    _ subject: Subject, _ answer: CheckResult.Answer, _ severity: Finding.Severity?, _ text: String
  ) -> CheckResult {
    CheckResult(
      check: subject.rawValue, group: .posture, workload: workload.name, answer: answer, severity: severity, text: text)
  }

  /// `a, b and c`, the first few.
  static func list(_ words: [String]) -> String {
    let shown = words.prefix(8)
    let rest = words.count - shown.count
    if rest > 0 { return "\(shown.joined(separator: ", ")) and \(rest) more" }
    guard words.count > 1, let last = words.last else { return words.first ?? "" }
    return "\(words.dropLast().joined(separator: ", ")) and \(last)"
  }

  private var memberLine: CheckResult {
    let silent = servers.filter { $0.silence != nil }
    if let first = silent.first {
      return unknown(
        .members,
        "\(Self.list(silent.map(\.instance))) \(silent.count == 1 ? "does" : "do") not answer: \(first.silence ?? "")")
    }
    return ok(
      .members,
      [("master", masters.count), ("replica", members.count - masters.count), ("Sentinel", sentinels.count)]
        .filter { $0.1 > 0 }.map { "\($0.1) \($0.0)\($0.1 == 1 ? "" : "s")" }.joined(separator: ", ")
        + " \(servers.count == 1 ? "answers" : "answer")")
  }

  private var releaseLine: CheckResult {
    let found = releases
    guard !answering.isEmpty, answering.allSatisfy({ $0.release != nil }) else {
      return unknown(.releases, answering.isEmpty ? "no server answers" : "a server is neither Redis nor Valkey")
    }
    let running = Self.list(found.map(\.description))
    if found.allSatisfy({ $0.meets(target) }) { return ok(.releases, "all run \(target) already") }
    guard found.count > 1 else { return ok(.releases, "all \(answering.count) run \(running)") }
    // A master that is newer than its replica is the one order that can break.
    for master in masters {
      guard let own = master.release else { continue }
      let older = answering.filter { replica in
        replica.role == .replica && replica.shard == master.shard
          && replica.release.map { isFormatRaised($0, own) } ?? false
      }
      guard older.isEmpty else {
        return finding(
          .releases, .warning,
          "\(master.instance) is a master with \(own), and \(Self.list(older.map(\.instance))) cannot read its full syncs: upgrade \(older.count == 1 ? "it" : "them") first of all"
        )
      }
    }
    return finding(.releases, .info, "servers differ: \(running); an upgrade is under way, or was not finished")
  }

  /// Whether files of `newer` may be unreadable to `older`.
  private func isFormatRaised(_ older: ServerRelease, _ newer: ServerRelease) -> Bool {
    if older.product != newer.product { return true }
    guard let old = older.rdbFormat, let new = newer.rdbFormat else { return older.isOfOlderBranch(than: newer) }
    return old < new
  }

  /// Whether the target reads what runs now.
  private var formatLines: [CheckResult] {
    let found = releases
    guard !found.isEmpty else { return [unknown(.format, "no server tells its release")] }
    let verdicts = found.filter { !$0.meets(target) }.map { format(from: $0) }
    // The worst of them is the answer.
    guard let worst = verdicts.max(by: { rank($0) < rank($1) }) else {
      return [ok(.format, "nothing is to be read by another release")]
    }
    return [worst]
  }

  private func format(from: ServerRelease) -> CheckResult {
    switch FormatBarrier(from: from, target: target).verdict {
    case .fine(let text): ok(.format, text)
    case .barrier(let text): finding(.format, .critical, text)
    case .unknown(let reason): unknown(.format, reason)
    }
  }

  private func rank(_ result: CheckResult) -> Int {
    switch result.answer {
    case .finding: 2 + (result.severity?.rawValue ?? 0)
    case .unknown: 1
    default: 0
    }
  }

  private var replicaLine: CheckResult {
    guard !masters.isEmpty else { return unknown(.replicas, "no master was found") }
    if workload.topology.isIndependent {
      return finding(
        .replicas, .warning, "nobody takes over: each server is away while it is upgraded")
    }
    let alone = masters.filter { master in
      !answering.contains { $0.role == .replica && $0.shard == master.shard && $0.isLinkUp == true }
    }
    return alone.isEmpty
      ? ok(.replicas, "each master has a replica whose link is up, to take over")
      : finding(
        .replicas, .critical,
        "no replica can take over from \(Self.list(alone.map(\.instance))): its data is away meanwhile")
  }

  private var backupLine: CheckResult {
    func days(_ seconds: Double) -> String {
      if seconds < 7200 { return "\(Int(clamping: (max(0, seconds) / 60).rounded(.up))) min" }
      let hours = Int(clamping: (seconds / 3600).rounded())
      return hours < 48 ? "\(hours) h" : "\(hours / 24) days"
    }
    let verified = backup.flatMap { report -> (age: Double, isOk: Bool)? in
      guard report.verdict == .ok || report.verdict == .finding else { return nil }
      return (now - report.endedAt + (report.numbers["age_seconds"] ?? 0), report.verdict == .ok)
    }
    if let verified, verified.isOk, verified.age <= Self.backupSeconds {
      return ok(.backup, "a backup of \(days(verified.age)) ago was verified")
    }
    if let verified, !verified.isOk {
      return finding(.backup, .critical, "the last backup that was verified cannot be restored")
    }
    guard !answering.isEmpty else { return unknown(.backup, "no server answers") }
    // One good dump of each shard is a backup as long as nobody needs it elsewhere.
    let shards = Dictionary(grouping: answering, by: \.shard).values.map { $0.compactMap(\.dumpAgeSeconds).min() }
    guard !shards.isEmpty, !shards.contains(nil) else {
      return finding(
        .backup, .warning, "a shard has no dump, and no backup was verified within a day: make one, and copy it away")
    }
    let oldest = shards.compactMap { $0 }.max() ?? 0
    return oldest <= Self.backupSeconds
      ? finding(
        .backup, .info,
        "servers wrote dumps \(days(oldest)) ago, and none was verified within a day: copy one away, and see that it can be restored"
      )
      : finding(
        .backup, .warning,
        "the newest dump is \(days(oldest)) old, and no backup was verified within a day: make one now")
  }

  /// Part of Valkey 9.1 and Redis 8 themselves, which list them; what they bring is among the commands.
  private static let builtInModules: Set = ["lua", "vectorset"]

  private var moduleLine: CheckResult {
    if let blind = firstReason(\.modules) { return unknown(.modules, blind) }
    var names: [String] = []
    for module in answering.flatMap({ $0.modules.value ?? [] }) where !Self.builtInModules.contains(module.name) {
      let name = "\(module.name) \(module.version)"
      if !names.contains(name) { names.append(name) }
    }
    guard !names.isEmpty else { return ok(.modules, "no module is loaded") }
    if releases.contains(where: { $0.product != target.product }) {
      return finding(
        .modules, .warning,
        "\(Self.list(names)): a module for one product may not load into the other, and its keys are lost without it; look for one for \(target)"
      )
    }
    return unknown(.modules, "\(Self.list(names)): nobody here knows whether there is a build for \(target)")
  }

  /// Why something is not known of a server; nil where all told it.
  func firstReason<Value>(_ path: KeyPath<UpgradeServer, Seen<Value>>) -> String? {
    guard !answering.isEmpty else { return "no server answers" }
    for server in answering {
      if case .unknown(let right) = server[keyPath: path] { return "\(server.instance): \(right)" }
    }
    return nil
  }

  private var commandLine: CheckResult {
    if let blind = firstReason(\.commands) { return unknown(.commands, blind) }
    var told: [String] = []
    for change in ReleaseChanges.commands {
      for name in change.names {
        // Replicas count what their master passes on: the most of one server says enough.
        let counts = answering.compactMap { server -> (calls: Double, instance: String)? in
          guard let release = server.release, change.isGone(release, target) else { return nil }
          return server.commands.value?[name].map { ($0, server.instance) }
        }
        guard let most = counts.max(by: { $0.calls < $1.calls }), most.calls > 0 else { continue }
        let calls = Int(clamping: most.calls)
        told.append(
          "\(name.uppercased()) (\(calls) \(calls == 1 ? "call" : "calls") on \(most.instance); \(change.instead))")
      }
    }
    guard told.isEmpty else {
      return finding(.commands, .warning, "\(target) does not have what this workload calls: \(Self.list(told))")
    }
    if target.product == .valkey, releases.contains(where: { $0.product == .redis && $0.isAtLeast(8, 4) }) {
      return unknown(.commands, "what Redis has had since 8.4 and Valkey has not is not listed here")
    }
    return ok(.commands, "no command that was called since the servers started is missing in \(target)")
  }

  // MARK: Settings

  private var settingLines: [CheckResult] {
    if let blind = firstReason(\.settings) { return [unknown(.settings, blind), unknown(.defaults, blind)] }
    var (fatal, ignored, changed): ([String], [String], [String]) = ([], [], [])
    for setting in ReleaseChanges.settings {
      let using = answering.filter { server in
        server.release.map { setting.isGone($0, target) } ?? false
          && server.settings.value?[setting.name].map { $0 != setting.usual } ?? false
      }
      guard !using.isEmpty else { continue }
      let text = "\(setting.name) of \(Self.list(using.map(\.instance)))"
      if setting.isFatal { fatal.append(text) } else { ignored.append(text) }
    }
    for change in ReleaseChanges.defaults {
      let using = answering.filter { server in
        server.release.map { change.isChanged($0, target) } ?? false
          && server.settings.value?[change.name] == change.before
      }
      if !using.isEmpty {
        changed.append(
          "\(change.name) is \(change.before) now, and \(change.after) unless the file says so: \(change.means)")
      }
    }
    var lines: [CheckResult] = []
    if !fatal.isEmpty {
      lines.append(
        finding(
          .settings, .warning,
          "\(target) does not start with what these files set: \(Self.list(fatal)). Take it out first"))
    } else if !ignored.isEmpty {
      lines.append(finding(.settings, .info, "\(target) takes no notice any more of \(Self.list(ignored))"))
    } else {
      lines.append(ok(.settings, "no setting that differs from its default is gone in \(target)"))
    }
    lines.append(
      changed.isEmpty
        ? ok(.defaults, "no default changes that these servers run with")
        : finding(.defaults, .info, "defaults change: \(changed.joined(separator: "; "))"))
    return lines
  }

  /// Settings that a file must not have, whatever their value: CONFIG GET shows a default like one that is written there.
  var forbidden: [String] {
    ReleaseChanges.settings.filter { setting in
      setting.isFatal && releases.contains { setting.isGone($0, target) }
    }.map(\.name)
  }

  // MARK: Sentinels

  /// Valkey 9's coordinated failover asks the old master itself.
  private var sentinelLine: CheckResult? {
    guard workload.topology == .sentinel else { return nil }
    guard target.product == .valkey, target.isAtLeast(9) else {
      return ok(.sentinels, "\(target) asks nothing new of the user of the Sentinels")
    }
    if masters.isEmpty { return unknown(.sentinels, "no master was found") }
    var users: [UpgradeServer.SentinelUser] = []
    for master in masters {
      switch master.sentinelUsers {
      case .unknown(let right): return unknown(.sentinels, "\(master.instance): \(right)")
      case .known(let found): users += found
      }
    }
    guard !users.isEmpty else { return unknown(.sentinels, "no connection of a Sentinel is seen on the master") }
    let barred = users.filter { !$0.mayFailover }.map(\.name)
    return barred.isEmpty
      ? ok(.sentinels, "the Sentinels' user may FAILOVER, which Valkey 9 needs for SENTINEL FAILOVER … COORDINATED")
      : finding(
        .sentinels, .warning,
        "the Sentinels' user \(Self.list(barred)) may not FAILOVER: SENTINEL FAILOVER … COORDINATED fails, and with Sentinels of Valkey 9.0.0 every failover that is asked for. On all servers: ACL SETUSER \(barred[0]) +failover"
      )
  }
}
