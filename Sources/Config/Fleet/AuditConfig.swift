/// How the security of a workload's servers is looked over: `audit` of a workload, and of `defaults`.
public struct AuditConfig: Sendable, Equatable {
  /// Between two looks at a server; nil where nobody looks.
  public var interval: Duration? = .seconds(3600)
  /// Users who may do what is dangerous, by name.
  public var admins: [String] = []
  /// What its owners know of and live with.
  public var accepted: [AcceptedFinding] = []
  /// Who may be connected; empty where that is not judged.
  public var clients: [DeclaredClient] = []
  /// Who may never be connected, such as the runners of a CI.
  public var forbiddenClients: [DeclaredClient] = []
  /// The package that the servers were installed from, such as `debian 5:7.0.15-1~deb12u10`; nil where that is not told.
  public var package: ServerPackage?
  /// The file of what is known of versions, absolute or as the configuration's own path is; nil without one.
  public var advisoriesFile: String?

  public init() {}

  static let listLimit = 256

  /// - Parameters:
  ///   - folder: of the configuration, where relative paths begin; empty for the working directory.
  ///   - base: what `defaults` say.
  init(_ fields: MappingReader, folder: String, base: AuditConfig = AuditConfig()) {
    interval = fields.value(
      "interval", .duration(.extended, .atLeast(.seconds(10))), or: "off", default: base.interval,
      "Time between two looks at a server's security.")
    let admins = fields.list(
      "admins", of: .nonEmptyString, "Users of the ACL who may run dangerous commands; it is no finding of theirs.",
      shown: "none")
    self.admins = fields.contains("admins") ? admins : base.admins
    accepted =
      fields.mappings("accept", "Findings that are known and accepted for a time.") { AcceptedFinding($0) }
      + base.accepted
    let clients = fields.mappings(
      "clients", "Who may be connected; any other is a finding. Without it nobody is judged."
    ) { DeclaredClient($0) }
    self.clients = clients.isEmpty ? base.clients : clients
    forbiddenClients =
      fields.mappings("forbidden_clients", "Who may never be connected.") { DeclaredClient($0) }
      + base.forbiddenClients
    package =
      fields.optional(
        "package", ServerPackage.scalar,
        "The package that the servers were installed from: a distributor mends faults without changing the version.")
      ?? base.package
    advisoriesFile =
      fields.optional(
        "advisories", .nonEmptyString,
        "File of known faults of versions, relative to this file, such as `/usr/share/redline/advisories/redis.json`."
      ).map { RulesConfig.absolute($0, in: folder) } ?? base.advisoriesFile
    for (key, count) in [
      ("admins", self.admins.count), ("accept", accepted.count), ("clients", self.clients.count),
      ("forbidden_clients", forbiddenClients.count),
    ] where count > Self.listLimit {
      fields.report(key, problem: "has more than \(Self.listLimit) entries")
    }
  }
}

/// A finding that somebody answers for, until a day.
public struct AcceptedFinding: Sendable, Equatable {
  /// The id of the check.
  public let check: AuditCheckID
  /// The label `instance` of the one server that it is about; nil for all.
  public let instance: String?
  public let reason: String
  /// The end of this day, UTC, ends it.
  public let until: CalendarDay

  private static let reasonLimit = 256

  init(_ fields: MappingReader) {
    check = fields.required("check", .oneOf(AuditCheckID.self, noun: "a check of the audit"), "Id of the check.")
    instance = fields.optional("instance", .nonEmptyString, "The one server that it is about.", shown: "all")
    reason = fields.required("reason", .oneLine(upToBytes: Self.reasonLimit), "Why it is accepted.")
    until = fields.required("until", CalendarDay.scalar, "The last day, UTC, that it is accepted.")
  }

  public init(check: AuditCheckID, instance: String? = nil, reason: String, until: CalendarDay) {
    (self.check, self.instance, self.reason, self.until) = (check, instance, reason, until)
  }
}

/// Connections by what CLIENT LIST says of them. What is not given is not looked at.
public struct DeclaredClient: Sendable, Equatable {
  /// A glob over the names of CLIENT SETNAME.
  public let name: String?
  public let user: String?
  /// A network, an address or a glob over hosts; empty for any.
  public let hosts: HostFilter
  let hostText: String?

  init(_ fields: MappingReader) {
    name = fields.optional("name", .nonEmptyString, "Glob over the name that it gave itself with CLIENT SETNAME.")
    user = fields.optional("user", .nonEmptyString, "Its user of the ACL.")
    let pattern = fields.optional("addr", .hostPattern, "Its network, such as `10.0.0.0/8`, or its address.")
    hosts = HostFilter(rules: pattern.map { [$0.rule] } ?? [])
    hostText = pattern?.text
    if name == nil, user == nil, hostText == nil {
      fields.report("name", problem: "is missing", hint: "give name, user or addr: what it is known by")
    }
  }
}

/// A package of a distribution, by its version there.
public struct ServerPackage: Sendable, Equatable {
  /// `debian`, `ubuntu`, `rhel`, …
  public let distribution: String
  public let version: String

  public var text: String { "\(distribution) \(version)" }

  public static let scalar = ScalarType<ServerPackage>(
    placeholder: ServerPackage(distribution: "", version: ""), name: "package",
    range: "a distribution and the version there, such as `debian 5:7.0.15-1~deb12u10`"
  ) { text throws(Mismatch) in
    let words = text.split(separator: " ")
    func isPlain(_ word: Substring) -> Bool {
      word.utf8.count <= 128 && word.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }
    guard words.count == 2, words.allSatisfy(isPlain), words[0].allSatisfy({ $0.isLowercase || $0.isNumber }),
      words[1].contains(where: \.isNumber)
    else {
      throw Mismatch(
        "is no package", hint: "write the distribution and the version there, such as debian 5:7.0.15-1~deb12u10")
    }
    return ServerPackage(distribution: String(words[0]), version: String(words[1]))
  }
}

/// A day of the Gregorian calendar.
public struct CalendarDay: Sendable, Equatable, CustomStringConvertible {
  public let description: String
  /// Seconds of the epoch at which it ends, UTC.
  public let end: Double

  public static let scalar = ScalarType<CalendarDay>(
    placeholder: CalendarDay(description: "", end: 0), name: "date", range: "a date such as `2027-03-31`"
  ) { text throws(Mismatch) in
    guard text.utf8.count == 10, let start = Timestamp.parse("\(text)T00:00:00Z") else {
      throw Mismatch("is no date", hint: "write it like 2027-03-31")
    }
    return CalendarDay(description: text, end: Double(start.epochMs) / 1000 + 86_400)
  }
}

/// The checks of the audit, by their ids. They never change: accepted findings, alerts and dashboards name them.
public enum AuditCheckID: String, Sendable, CaseIterable {
  case openLogin = "open-login"
  case publicAddress = "public-address"
  case bindWide = "bind-wide"
  case protectedOff = "protected-off"
  case dangerReach = "danger-reach"
  case dangerPresent = "danger-present"
  case allKeys = "all-keys"
  case debugEnabled = "debug-enabled"
  case breachSigns = "breach-signs"
  case clientUnexpected = "client-unexpected"
  case deniedAttempt = "denied-attempt"
  case userUnused = "user-unused"
  case tlsOff = "tls-off"
  case tlsInner = "tls-inner"
  case tlsWeak = "tls-weak"
  case certExpiry = "cert-expiry"
  case credentialAge = "credential-age"
  case cve
  case eol
  case declaredDrift = "declared-drift"
}
