import Config
import Fleet
import Runtime

/// What a verification found out about a backup, before it is judged.
public struct BackupFacts: Sendable, Equatable {
  /// `dump.rdb`, `an append-only file of 3 parts`.
  public var title = "the backup"
  public var header: RDBHeader?
  public var sizeBytes: Int?
  public var writtenAt: WallTime?
  /// The server that loaded it.
  public var server: String?
  /// Whether the program that checks files found it good; nil where there is none.
  public var isChecked: Bool?
  /// What went wrong on the way; then the rest is not known.
  public var trouble: BackupTrouble?
  /// How long the load took, or had taken when it was ended.
  public var loadSeconds: Double?
  /// nil where it was not loaded.
  public var contents: BackupContents?

  public init() {}
}

/// Judges a backup. Pure: the clock is a parameter.
public struct BackupJudgement: Sendable {
  /// What is looked at, in the order of a restore.
  enum Subject: String, CaseIterable {
    case file = "backup-file"
    case format = "backup-format"
    case check = "backup-check"
    case load = "backup-load"
    case loadTime = "backup-load-time"
    case present = "backup-keys-present"
    case keys = "backup-keys"
    case prefixes = "backup-prefixes"
    case age = "backup-age"
    case stream = "backup-stream"
  }

  static let toleratedShare = 0.01
  static let prefixShare = 0.05

  public let facts: BackupFacts
  public let baseline: BackupBaseline
  public let workload: String
  let maxLoadSeconds: Double
  let maxAgeSeconds: Double?
  let now: WallTime

  public init(
    _ facts: BackupFacts, _ baseline: BackupBaseline, workload: String, maxLoad: Duration, maxAge: Duration?,
    now: WallTime
  ) {
    (self.facts, self.baseline, self.workload, self.now) = (facts, baseline, workload, now)
    maxLoadSeconds = maxLoad / .seconds(1)
    maxAgeSeconds = maxAge.map { $0 / .seconds(1) }
  }

  private enum Answer {
    case ok(String)
    case found(BackupTrouble)
    case unknown(String)
  }

  /// One for each subject.
  public var results: [CheckResult] {
    Subject.allCases.map { subject in
      switch answer(subject) {
      case .ok(let text):
        CheckResult(check: subject.rawValue, group: .posture, workload: workload, answer: .ok, text: text)
      case .found(let trouble) where trouble.kind.isUnknown:
        CheckResult(
          check: subject.rawValue, group: .posture, workload: workload, answer: .unknown,
          reason: "\(trouble.kind.rawValue): \(trouble.text)")
      case .found(let trouble):
        CheckResult(
          check: subject.rawValue, group: .posture, workload: workload, answer: .finding,
          severity: trouble.kind.isFatal ? .critical : .warning, text: "\(trouble.kind.rawValue): \(trouble.text)")
      case .unknown(let reason):
        CheckResult(check: subject.rawValue, group: .posture, workload: workload, answer: .unknown, reason: reason)
      }
    }
  }

  private static func subject(of kind: BackupTrouble.Kind) -> Subject {
    switch kind {
    case .missing, .empty, .foreign, .partMissing, .unreadable, .disk: .file
    case .newerFormat, .binary, .modules: .format
    case .truncated, .damaged: .check
    case .loadFailed, .notLoaded, .memory, .interrupted: .load
    case .slow: .loadTime
    case .noKeys: .present
    case .keysDiffer: .keys
    case .prefixGone: .prefixes
    case .tooOld: .age
    case .foreignStream: .stream
    }
  }

  private func answer(_ subject: Subject) -> Answer {
    if let trouble = facts.trouble {
      let stopped = Self.subject(of: trouble.kind)
      if subject == stopped { return .found(trouble) }
      let order = Subject.allCases
      let isAfter = (order.firstIndex(of: subject) ?? 0) > (order.firstIndex(of: stopped) ?? 0)
      let canStill = (subject == .age && facts.writtenAt != nil) || (subject == .stream && facts.header != nil)
      if isAfter, !canStill, facts.contents == nil { return .unknown("\(facts.title) was not loaded") }
    }
    switch subject {
    case .file:
      return .ok(facts.sizeBytes.map { "\(facts.title) has \(BackupWords.bytes(Double($0)))" } ?? facts.title)
    case .format: return format
    case .check:
      return .ok(
        facts.isChecked == true
          ? "the file's own check finds nothing" : "not compared: the server has no check of files")
    case .load: return .ok("it was loaded" + (facts.server.map { " by \($0)" } ?? ""))
    case .loadTime: return loadTime
    case .present: return present
    case .keys: return keys
    case .prefixes: return prefixes
    case .age: return age
    case .stream: return stream
    }
  }

  private var format: Answer {
    guard let header = facts.header else { return .ok("the files do not name the server that wrote them") }
    return .ok(
      "RDB version \(header.format)"
        + (header.server.map {
          ", written by \(header.isValkeyMade ? "Valkey" : "Redis") \(oneLine($0.cut(toBytes: 40)))"
        } ?? ""))
  }

  private var loadTime: Answer {
    guard let seconds = facts.loadSeconds else { return .unknown("\(facts.title) was not loaded") }
    let limit = BackupWords.seconds(maxLoadSeconds)
    guard seconds <= maxLoadSeconds else {
      let took = facts.contents == nil ? "was not loaded after" : "took"
      return .found(BackupTrouble(.slow, "the load \(took) \(BackupWords.seconds(seconds)), and max_load is \(limit)"))
    }
    return .ok("the load took \(BackupWords.seconds(seconds)) of \(limit): so long does a restore last at least")
  }

  private var present: Answer {
    guard let contents = facts.contents else { return .unknown("\(facts.title) was not loaded") }
    guard contents.keys == 0 else { return .ok("\(contents.keys) keys") }
    let text = "it loads well and holds no key, where "
    if let most = baseline.history?.values.map(\.lowerBound).reduce(0, +), most > 0 {
      return .found(BackupTrouble(.noKeys, "\(text)the servers had \(Int(clamping: most)) at its time"))
    }
    if let last = baseline.last, last.keys.values.contains(where: { $0 > 0 }) {
      return .found(BackupTrouble(.noKeys, "\(text)the last one had \(last.keys.values.reduce(0, +))"))
    }
    let live = baseline.servers.map { $0.keys.values.reduce(0, +) }
    if let most = live.max(), most > 0 {
      return .found(BackupTrouble(.noKeys, "\(text)a server has \(most) now"))
    }
    return live.isEmpty
      ? .unknown("it holds no key, and whether there should be any is not known")
      : .ok("no keys, as the servers have none")
  }

  private var keys: Answer {
    guard let contents = facts.contents else { return .unknown("\(facts.title) was not loaded") }
    guard let history = baseline.history else {
      return .ok("not compared: only a daemon's history tells how many keys there were then; name it with --url")
    }
    guard !baseline.isSharded else { return .ok("not compared: the file is of one of several masters") }
    var different: [String] = []
    for number in Set(history.keys).union(contents.databases.keys).sorted() {
      let range = history[number] ?? 0...0
      let count = Double(contents.databases[number]?.keys ?? 0)
      let slack = Self.toleratedShare * range.upperBound
      if count < range.lowerBound - slack || count > range.upperBound + slack {
        let had =
          range.lowerBound == range.upperBound
          ? "\(Int(clamping: range.upperBound))"
          : "\(Int(clamping: range.lowerBound)) to \(Int(clamping: range.upperBound))"
        different.append("db\(number) has \(Int(clamping: count)) keys, and had \(had) at the time of the file")
      }
    }
    guard different.isEmpty else {
      let more = different.count > 5 ? " and \(different.count - 5) databases more" : ""
      return .found(BackupTrouble(.keysDiffer, different.prefix(5).joined(separator: "; ") + more))
    }
    return .ok("each database has as many keys as it had at the time of the file")
  }

  private var prefixes: Answer {
    guard let contents = facts.contents else { return .unknown("\(facts.title) was not loaded") }
    guard let last = baseline.last else { return .ok("not compared: no earlier result is kept") }
    guard contents.lookedAt > 0 else { return .ok("not compared: no key was looked at") }
    let gone = last.prefixShares.filter { $0.value >= Self.prefixShare && contents.prefixes[$0.key] == nil }
    guard gone.isEmpty else {
      let named = gone.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(5).map {
        "\($0.key) (\(BackupWords.percent($0.value)) of the keys last time)"
      }
      return .found(BackupTrouble(.prefixGone, "no key begins any more with \(named.joined(separator: ", "))"))
    }
    return .ok("all prefixes of the last time are there")
  }

  private var age: Answer {
    guard let writtenAt = facts.writtenAt else { return .unknown("when it was written is not known") }
    let age = max(0, now - writtenAt)
    let words = "it is \(BackupWords.seconds(age)) old"
    guard let limit = maxAgeSeconds else { return .ok("\(words); the workload has no objective backup_age") }
    guard age <= limit else {
      return .found(BackupTrouble(.tooOld, "\(words), and the objective backup_age is \(BackupWords.seconds(limit))"))
    }
    return .ok("\(words), of at most \(BackupWords.seconds(limit))")
  }

  /// A server's id changes with its start and with each switch: only where one has run since before the file was written does a
  /// strange id tell that the file is of other servers.
  private var stream: Answer {
    guard let header = facts.header, header.replicationID != nil else {
      return .ok("not compared: the file names no history of writes, since its server had no replica")
    }
    if let origin = baseline.origin(of: header) {
      return .ok("it belongs to the history of writes of \(origin.instance)")
    }
    guard !baseline.servers.isEmpty else { return .ok("not compared: no server of the workload answers") }
    let masters = baseline.servers.filter(\.isMaster)
    guard let writtenAt = facts.writtenAt, !masters.isEmpty,
      masters.allSatisfy({ $0.startedAt.map { $0 < writtenAt } ?? false && !$0.replicationIDs.isEmpty })
    else { return .ok("not compared: a master was started since the file was written") }
    return .found(
      BackupTrouble(
        .foreignStream,
        "its history of writes (repl-id) is of no server of the workload, though the masters ran when it was written: is it of another workload?"
      ))
  }

  // MARK: What would be lost

  /// The last write that the file contains: by its own offset where the daemon knows when that was reached, else when it was
  /// begun.
  public var lastWriteAt: WallTime? { baseline.offsetReachedAt ?? (behindBytes == 0 ? now : facts.writtenAt) }

  /// Bytes of the replication stream that came after the file; nil where its server does not answer now.
  public var behindBytes: Int? {
    guard let header = facts.header, let offset = header.replicationOffset,
      let newest = baseline.origin(of: header)?.replicationOffset, newest >= offset
    else { return nil }
    return newest - offset
  }

  // MARK: The report

  /// What is told beside the results: the facts, the most important first.
  public var remarks: [String] {
    var lines: [String] = []
    if let contents = facts.contents {
      for (number, database) in contents.databases.sorted(by: { $0.key < $1.key }).prefix(16) {
        lines.append("db\(number): \(database.keys) keys, \(database.keys - database.expiring) of them without a TTL")
      }
      if contents.databases.count > 16 { lines.append("\(contents.databases.count - 16) databases more") }
      if contents.lookedAt > 0 {
        let of =
          contents.isWhole
          ? "the \(contents.lookedAt) keys that have not expired" : "\(contents.lookedAt) keys that were looked at"
        func list(_ counts: [String: Int]) -> String {
          counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(8).map {
            "\($0.key) \(BackupWords.percent(Double($0.value) / Double(contents.lookedAt)))"
          }.joined(separator: ", ")
        }
        lines.append("types of \(of): \(list(contents.types))")
        if !contents.prefixes.isEmpty { lines.append("prefixes: \(list(contents.prefixes))") }
      }
    }
    if let seconds = facts.loadSeconds, facts.contents != nil {
      lines.append("RTO: loaded in \(BackupWords.seconds(seconds))")
    }
    if let lastWriteAt {
      let isByOffset = baseline.offsetReachedAt != nil || behindBytes == 0
      let by = isByOffset ? "by its offset in the stream of writes" : "when it was begun"
      let bytes = behindBytes.map { ", \(BackupWords.bytes(Double($0))) of writes since" } ?? ""
      lines.append("RPO: the last write is \(BackupWords.seconds(max(0, now - lastWriteAt))) old (\(by))\(bytes)")
    }
    return lines
  }

  /// Names end in their unit.
  public var numbers: [String: Double] {
    var numbers: [String: Double] = [:]
    if let contents = facts.contents {
      numbers["keys"] = Double(contents.keys)
      numbers["without_ttl_keys"] = Double(contents.keys - contents.expiring)
      for (number, database) in contents.databases.sorted(by: { $0.key < $1.key }).prefix(128) {
        numbers["keys_db\(number)"] = Double(database.keys)
      }
    }
    numbers["load_seconds"] = facts.loadSeconds
    numbers["size_bytes"] = facts.sizeBytes.map(Double.init)
    numbers["age_seconds"] = facts.writtenAt.map { max(0, now - $0) }
    numbers["behind_seconds"] = lastWriteAt.map { max(0, now - $0) }
    numbers["behind_bytes"] = behindBytes.map(Double.init)
    return numbers
  }

  /// What is left for the daemon.
  public func report(since start: WallTime) -> CheckReport {
    CheckReport(
      check: "backup", workload: workload, startedAt: start, endedAt: now, numbers: numbers,
      results: results.worstFirst, remarks: remarks)
  }
}
