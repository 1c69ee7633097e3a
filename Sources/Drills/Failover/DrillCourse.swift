import Redis
import Runtime

/// What is to be done next in a drill, from what is seen. Pure.
struct DrillCourse: Sendable {
  /// What is seen at one moment.
  struct Look: Sendable {
    var at: Monotonic
    /// Of each writer, when and by which process its newest write was acknowledged.
    var acks: [(at: Monotonic, runID: String)?]
    /// When the newest error of any was met.
    var lastError: Monotonic?
    /// How often another became master.
    var switchCount = 0
    /// How many servers call themselves master now.
    var masterCount = 1
    /// When each server last answered; missing where it never did.
    var answered: [NodeAddress: Monotonic] = [:]
    /// Sentinels that are not heard, and since when.
    var deaf: [NodeAddress: Monotonic] = [:]
    /// Whether all that brings the fault about is done.
    var isFaultDone = false
    var faultProblem: String?
    var ledgerProblem: String?
    var isInterrupted = false
  }

  enum End: Sendable, Equatable {
    /// All went well again for as long as it had to.
    case stable
    /// Somebody asked for it.
    case interrupted
    /// Something else failed, too; a sentence.
    case failed(String)
    /// It was not steady, or the ledger could not be written, before anything was broken.
    case notBegun(String)
  }

  enum Step: Sendable, Equatable {
    case goOn
    case beginFault
    case end(End)
  }

  let fault: DrillFault
  let beforeSeconds: Double
  let stableSeconds: Double
  let limitSeconds: Double
  let master: DrillNode
  let others: [NodeAddress]
  let sentinelCount: Int
  let name: @Sendable (NodeAddress) -> String
  let startedAt: Monotonic
  private(set) var faultAt: Monotonic?
  /// Since when all goes well again; nil while it does not.
  private(set) var wellSince: Monotonic?

  static let silenceSeconds = 5.0

  init(
    _ settings: DrillSettings, _ group: DrillGroup, name: @escaping @Sendable (NodeAddress) -> String,
    startedAt: Monotonic
  ) {
    fault = settings.fault
    beforeSeconds = settings.beforeSeconds
    stableSeconds = settings.stableSeconds
    limitSeconds = settings.limitSeconds
    master = group.master
    others = group.replicas.map(\.address)
    sentinelCount = group.sentinels.count
    self.name = name
    self.startedAt = startedAt
  }

  mutating func step(_ look: Look) -> Step {
    if look.isInterrupted { return .end(.interrupted) }
    guard let faultAt else { return before(look) }
    if let problem = look.ledgerProblem { return .end(.failed("the ledger cannot be written: \(problem)")) }
    if let problem = look.faultProblem { return .end(.failed(problem)) }
    if let failure = secondFailure(look) { return .end(.failed(failure)) }
    if isWell(look, faultAt) {
      let since = wellSince ?? look.at
      wellSince = since
      return look.at - since >= stableSeconds ? .end(.stable) : .goOn
    }
    wellSince = nil
    guard look.at - faultAt < limitSeconds else {
      return .end(.failed("all had not recovered within \(Int(clamping: limitSeconds)) s: \(ailment(look, faultAt))"))
    }
    return .goOn
  }

  private mutating func before(_ look: Look) -> Step {
    if let problem = look.ledgerProblem { return .end(.notBegun("the ledger cannot be written: \(problem)")) }
    guard look.at - startedAt >= beforeSeconds else { return .goOn }
    if look.lastError != nil { return .end(.notBegun("canaries met errors before anything was broken")) }
    if look.acks.contains(where: { $0 == nil }) {
      return .end(.notBegun("a canary had no write acknowledged before anything was broken"))
    }
    if look.switchCount > 0 { return .end(.notBegun("the master changed before anything was broken")) }
    faultAt = look.at
    return .beginFault
  }

  private func secondFailure(_ look: Look) -> String? {
    if look.switchCount > 1 { return "the master changed a second time" }
    for other in others {
      guard let answered = look.answered[other], look.at - answered > Self.silenceSeconds else { continue }
      return "\(name(other)) does not answer any more, either"
    }
    let deaf = look.deaf.values.count { look.at - $0 > Self.silenceSeconds }
    if sentinelCount > 0, deaf * 2 >= sentinelCount {
      return "\(deaf) of \(sentinelCount) Sentinels are not heard any more"
    }
    return nil
  }

  /// Whether every writer is served again, by one master, and nothing is under way.
  private func isWell(_ look: Look, _ faultAt: Monotonic) -> Bool { trouble(look, faultAt) == nil }

  private func ailment(_ look: Look, _ faultAt: Monotonic) -> String { trouble(look, faultAt) ?? "" }

  private func trouble(_ look: Look, _ faultAt: Monotonic) -> String? {
    if !look.isFaultDone { return "the fault was not through" }
    if look.masterCount > 1 { return "more than one server calls itself master" }
    if fault != .exec, look.switchCount == 0 { return "nobody took over" }
    let start = max(faultAt, look.lastError ?? faultAt)
    for ack in look.acks {
      guard let ack, ack.at > start, look.at - ack.at < 1 else { return "not every canary is served" }
      if look.switchCount > 0, ack.runID == master.runID { return "canaries still write to the old master" }
    }
    return nil
  }
}
