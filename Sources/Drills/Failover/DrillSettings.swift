import Config
import Redis
import Runtime

/// What is broken in a drill.
public enum DrillFault: String, Sendable, CaseIterable {
  /// A handover as operators do it: writes are held, the replicas catch up, then another takes over.
  case planned
  /// The master stops answering for a while: `CLIENT PAUSE … ALL`. With Sentinels alone.
  case hang
  /// A command ends the master.
  case kill
  /// A command does whatever it does.
  case exec
}

/// How a drill is run, and what it must not cost.
public struct DrillSettings: Sendable {
  public var fault: DrillFault
  /// For `sh -c`; with ``DrillFault/kill`` and ``DrillFault/exec``.
  public var command: String?
  /// For how long nothing may be acknowledged, in seconds.
  public var maxUnavailableSeconds = 30.0
  /// How many acknowledged writes may be lost.
  public var maxLost = 0
  /// How long canaries are written before the fault, in seconds.
  public var beforeSeconds = 10.0
  /// How long all must have gone well again, in seconds.
  public var stableSeconds = 30.0
  /// How long recovery is waited for, in seconds.
  public var limitSeconds = 120.0
  /// Of all canaries together.
  public var writesPerSecond = 1000
  /// Of a cluster, the master that is drilled; nil for that of the first slots.
  public var master: NodeAddress?
  public var ledgerPath: String?
  /// Leaves the ledger, and the keys to their own end.
  public var keepsKeys = false

  public init(fault: DrillFault) { self.fault = fault }

  public static let writerCount = 4
  public static let rates = 4...4000

  /// How long a key lasts: until everything was read back, however long recovery takes.
  public var keySeconds: Int { Int(clamping: (beforeSeconds + limitSeconds + stableSeconds + 60).rounded(.up)) }
}

/// Why a drill did not begin: nothing was written, nothing was broken.
public struct DrillRefusal: Error, Sendable, CustomStringConvertible {
  public let reasons: [String]
  /// Whether nobody could be asked, so that nothing is known.
  public var isUnknown = false

  public init(_ reasons: [String], isUnknown: Bool = false) {
    self.reasons = reasons
    self.isUnknown = isUnknown
  }

  public var description: String { reasons.joined(separator: "\n") }
}

/// The keys of one drill: `redline:canary:RUN:W:N`.
struct CanaryKeys: Sendable, Equatable {
  let run: String

  /// A run's name: eight hexadecimal digits.
  static func newRun() -> String {
    let digits = String(UInt32.random(in: 0...UInt32.max), radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }

  func key(_ writer: Int, _ number: Int) -> String { "redline:canary:\(run):\(writer):\(number)" }
  func value(_ writer: Int, _ number: Int) -> String { "\(run):\(writer):\(number)" }
  func slot(_ writer: Int, _ number: Int) -> Int { clusterSlot(of: Array(key(writer, number).utf8)) }
  var pattern: String { "redline:canary:\(run):*" }
}
