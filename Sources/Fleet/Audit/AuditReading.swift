import Config
import Redis
import Runtime

/// What a server said to one question of the audit, or why that is not known.
enum AuditAnswer<Value: Sendable>: Sendable {
  case known(Value)
  /// What is missing: a right such as `+config|get`, or why nothing is known.
  case unknown(String)

  var value: Value? { if case .known(let value) = self { value } else { nil } }
}

extension AuditAnswer: Equatable where Value: Equatable {}

/// What one server let see of its security at one look. Passwords and their hashes are never asked for.
struct AuditReading: Sendable {
  /// What a connection without a login is told.
  enum Stranger: Sendable, Equatable {
    /// PING is answered.
    case served
    case refused
    /// By protected mode, which lets in connections over loopback alone.
    case keptOut
  }

  /// What INFO says of the program.
  struct Process: Sendable {
    /// `redis_build_id`.
    var buildID: String?
    var executable: String?
    var id: Int?
    /// The port without TLS; the one with TLS where there is no other.
    var tcpPort: Int?
    /// `configured_hz`.
    var configuredHz: Int?
    /// The addresses that it listens on, from 7.2 on.
    var listeners: [String] = []
  }

  /// How it is reached.
  struct Way: Sendable {
    var usesTLS: Bool
    /// Where redline's connection went; nil for a unix socket.
    var address: IPAddress?
    /// The server's own addresses that others are connected to, as CLIENT LIST has them.
    var localAddresses: Set<String> = []
    /// When the certificate that the server showed ends; nil without TLS.
    var certificateEnd: WallTime?
  }

  /// What earlier looks have seen.
  struct Record: Sendable {
    /// When each user was connected last, by the day.
    var lastSeen: [String: WallTime] = [:]
    /// When the server was looked over for the first time.
    var watchedSince: WallTime?
  }

  /// Bytes that are kept of the value of a setting.
  static let valueBytes = 4096

  /// Settings that were asked for by their names, with those that the server has.
  var settings: AuditAnswer<[String: String]> = .unknown(AuditReading.notAsked)
  var askedSettings: Set<String> = []
  /// Of the commands that were asked about, by their lower-case names: whether the server knows them.
  var commands: AuditAnswer<[String: Bool]> = .unknown(AuditReading.notAsked)
  /// Sorted by name.
  var users: AuditAnswer<[AuditUser]> = .unknown(AuditReading.notAsked)
  var clients: AuditAnswer<[AuditClient]> = .unknown(AuditReading.notAsked)
  /// Commands that the ACL refused, other than those of redline itself.
  var denials: AuditAnswer<[AuditDenial]> = .unknown(AuditReading.notAsked)
  var modules: AuditAnswer<[AuditModule]> = .unknown(AuditReading.notAsked)
  var stranger: AuditAnswer<Stranger> = .unknown(AuditReading.notAsked)
  var process = Process()
  var way: Way
  var record = Record()
  /// What is known of faults of versions; nil where no file is configured.
  var advisories: AuditAnswer<Shared<Advisories>>?
  /// When the file with redline's own password was changed last; nil where it is in no file.
  var credentialsChanged: WallTime?
  /// The user that redline is logged in as.
  var ownUser: String
  var at: WallTime

  init(ownUser: String, usesTLS: Bool, at: WallTime) {
    (self.ownUser, way, self.at) = (ownUser, Way(usesTLS: usesTLS), at)
  }

  static let notAsked = "it was not asked"

  /// A setting; nil where settings are unknown or the server has none of that name.
  func setting(_ name: String) -> String? { settings.value?[name] }
}

/// A user of the ACL and what the server lets it do, by its own verdict (ACL DRYRUN).
struct AuditUser: Sendable, Equatable {
  let name: String
  var reach: Set<DangerousCommand> = []
  /// Whether it may read and write a key of any name.
  var hasAllKeys = false
}

/// Connections of one name, user and network.
struct AuditClient: Sendable, Hashable {
  let origin: ClientOrigin
  let user: String
  /// A replica, a master, or a Sentinel.
  let isServer: Bool
  /// Against `audit.clients` and `audit.forbidden_clients`.
  let isDeclared: Bool
  let isForbidden: Bool
  /// Redline's own.
  let isOwn: Bool
}

struct AuditDenial: Sendable, Equatable {
  let origin: ClientOrigin
  /// Without its arguments; nil where it is none that Redis knows.
  let command: String?
  let count: Int
  let at: WallTime
}

struct AuditModule: Sendable, Equatable {
  let name: String
  /// nil where the server does not tell.
  let path: String?
}

/// Commands that can end, empty or open a server, as they are tried in the name of each user.
enum DangerousCommand: String, Sendable, CaseIterable, Comparable {
  case flushAll = "FLUSHALL"
  case flushDB = "FLUSHDB"
  case configSet = "CONFIG SET"
  case debug = "DEBUG"
  case shutdown = "SHUTDOWN"
  case moduleLoad = "MODULE LOAD"
  case replicaOf = "REPLICAOF"
  case slaveOf = "SLAVEOF"
  case aclSetUser = "ACL SETUSER"
  case keys = "KEYS"
  case monitor = "MONITOR"
  case scriptFlush = "SCRIPT FLUSH"
  case eval = "EVAL"
  case restore = "RESTORE"

  /// With as many words as the server wants to see: it judges nothing else.
  var words: [String] {
    switch self {
    case .flushAll, .flushDB, .shutdown, .monitor: [rawValue]
    case .configSet: ["CONFIG", "SET", "maxclients", "10000"]
    case .debug: ["DEBUG", "SLEEP", "0"]
    case .moduleLoad: ["MODULE", "LOAD", "/nowhere"]
    case .replicaOf, .slaveOf: [rawValue, "NO", "ONE"]
    case .aclSetUser: ["ACL", "SETUSER", "nobody"]
    case .keys: ["KEYS", "*"]
    case .scriptFlush: ["SCRIPT", "FLUSH"]
    case .eval: ["EVAL", "return 0", "0"]
    case .restore: ["RESTORE", "redline-audit", "0", "nothing"]
    }
  }

  /// The command of its own that it is, or belongs to: what COMMAND INFO knows it by.
  var container: String { words[0].lowercased() }

  /// Whether who may run it can end or empty the server, or take it over.
  var isCritical: Bool {
    switch self {
    case .keys, .monitor, .scriptFlush, .eval, .restore: false
    default: true
    }
  }

  static func < (left: Self, right: Self) -> Bool { left.place < right.place }
  private var place: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
