import Redis
import Runtime

/// What is remembered of a member, also over restarts of the daemon, so that what changed in between is told.
struct MemberRecord: Sendable, Equatable {
  /// The label `instance`, to name it by once it is gone.
  var instance: String
  var answers: Bool
  var runID = ""
  /// nil while it was never read.
  var isMaster: Bool?
  var flushCount = 0
  var maxBytes = 0
  var policy: String?
  var isAOFEnabled = false
  /// nil where CONFIG cannot be read.
  var appendFsync: String?
  var hasSaveRules: Bool?
  /// Of all settings; nil where CONFIG cannot be read.
  var settingsFingerprint: UInt64?

  /// A member that has not answered yet.
  init(instance: String, answers: Bool) {
    self.instance = instance
    self.answers = answers
  }

  init(_ facts: Shared<MemberFacts>, instance: String) {
    self.init(instance: instance, answers: true)
    runID = facts.server.runID
    isMaster = facts.replication?.isMaster
    flushCount = facts.flushCount
    maxBytes = facts.memory.maxBytes ?? 0
    policy = facts.memory.policy
    isAOFEnabled = facts.persistence.isAOFEnabled
    appendFsync = facts.persistence.appendFsync.map { "\($0)" }
    hasSaveRules = facts.persistence.hasSaveRules
    settingsFingerprint = facts.config?.fingerprint
  }

  /// Whether it has ever been read.
  var isKnown: Bool { !runID.isEmpty || isMaster != nil }
}

/// As lines of text, `name value`, for the store's facts.
extension MemberRecord {
  var text: String {
    let lines: [(String, String?)] = [
      ("instance", instance), ("answers", answers ? "yes" : "no"), ("run", runID),
      ("master", isMaster.map { $0 ? "yes" : "no" }), ("flushes", "\(flushCount)"), ("maxmemory", "\(maxBytes)"),
      ("policy", policy), ("appendonly", isAOFEnabled ? "yes" : "no"), ("appendfsync", appendFsync),
      ("save", hasSaveRules.map { $0 ? "yes" : "no" }),
      ("settings", settingsFingerprint.map { String($0, radix: 16) }),
    ]
    return lines.compactMap { name, value in value.flatMap { $0.isEmpty ? nil : "\(name) \($0)" } }.joined(
      separator: "\n")
  }

  /// nil for a text that names no instance.
  init?(text: String) {
    let pairs = text.split(separator: "\n").compactMap { line -> (String, String)? in
      let words = line.split(separator: " ", maxSplits: 1).map(String.init)
      return words.count == 2 ? (words[0], words[1]) : nil
    }
    let fields = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    guard let instance = fields["instance"] else { return nil }
    self.init(instance: instance, answers: fields["answers"] == "yes")
    runID = fields["run"] ?? ""
    isMaster = fields["master"].map { $0 == "yes" }
    flushCount = fields["flushes"].flatMap { storedInteger($0) } ?? 0
    maxBytes = fields["maxmemory"].flatMap { storedInteger($0) } ?? 0
    policy = fields["policy"]
    isAOFEnabled = fields["appendonly"] == "yes"
    appendFsync = fields["appendfsync"]
    hasSaveRules = fields["save"].map { $0 == "yes" }
    settingsFingerprint = fields["settings"].flatMap { UInt64($0, radix: 16) }
  }
}
