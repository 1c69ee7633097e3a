/// A message that a Sentinel publishes. Total: what is not understood is ``other(channel:payload:)``.
public enum SentinelEvent: Sendable, Equatable {
  /// `+switch-master`: clients learn the new master.
  case switchMaster(name: String, from: NodeAddress, to: NodeAddress)
  /// Something happened to an instance.
  case instance(Change, Instance)
  /// `+new-epoch`: the Sentinel's epoch, which all its masters share.
  case newEpoch(Int)
  /// `+vote-for-leader`: the run id that it voted for, and the epoch.
  case vote(runID: String, epoch: Int)
  /// `+tilt` and `-tilt`: the Sentinel distrusts its clock and does not act.
  case tilt(Bool)
  /// Unknown or malformed; both texts are cut to ``textLimit`` characters.
  case other(channel: String, payload: String)

  public static let textLimit = 256

  /// The channels of events about an instance; the raw values serve as label values.
  public enum Change: String, Sendable, CaseIterable {
    case subjectivelyDown = "+sdown"
    case subjectivelyUp = "-sdown"
    case objectivelyDown = "+odown"
    case objectivelyUp = "-odown"
    case tryFailover = "+try-failover"
    case electedLeader = "+elected-leader"
    case stateSelectReplica = "+failover-state-select-slave"
    case selectedReplica = "+selected-slave"
    case stateSendReplicaOfNoOne = "+failover-state-send-slaveof-noone"
    case stateWaitPromotion = "+failover-state-wait-promotion"
    case promotedReplica = "+promoted-slave"
    case stateReconfigureReplicas = "+failover-state-reconf-slaves"
    case reconfigurationSent = "+slave-reconf-sent"
    case reconfigurationInProgress = "+slave-reconf-inprog"
    case reconfigurationDone = "+slave-reconf-done"
    case reconfigurationTimeout = "-slave-reconf-sent-timeout"
    case failoverEnd = "+failover-end"
    case failoverEndForTimeout = "+failover-end-for-timeout"
    case abortNotElected = "-failover-abort-not-elected"
    case abortNoGoodReplica = "-failover-abort-no-good-slave"
    case abortReplicaTimeout = "-failover-abort-slave-timeout"
    case roleChanged = "+role-change"
    case roleUnexpected = "-role-change"
    case replica = "+slave"
    case sentinel = "+sentinel"
    case duplicateSentinel = "-dup-sentinel"
    case monitor = "+monitor"
    case unmonitor = "-monitor"
    case resetMaster = "+reset-master"
    case set = "+set"
    case reboot = "+reboot"
    case configUpdateFrom = "+config-update-from"
    case fixReplicaConfig = "+fix-slave-config"
    case convertToReplica = "+convert-to-slave"
    case convertToMaster = "+convert-to-master"
    case sentinelInvalidAddress = "+sentinel-invalid-addr"
    case sentinelAddressSwitch = "+sentinel-address-switch"

    /// An attempt of a failover that ended without one.
    public var isAbort: Bool {
      self == .abortNotElected || self == .abortNoGoodReplica || self == .abortReplicaTimeout
    }
  }

  /// `type name ip port [@ master-name master-ip master-port] [detail]`.
  public struct Instance: Sendable, Equatable {
    public enum Kind: String, Sendable { case master, slave, sentinel }
    public let kind: Kind
    public let name: String
    public let address: NodeAddress
    public let masterName: String
    public let masterAddress: NodeAddress
    /// What follows, such as `#quorum 2/2`.
    public let detail: String

    public var isMaster: Bool { kind == .master }
  }

  /// Reads a `message` or `pmessage`.
  /// - Returns: nil for other replies, such as the confirmation of a subscription.
  public init?(_ reply: Reply) {
    guard let elements = reply.elements, (3...4).contains(elements.count), let kind = elements[0]?.text,
      (kind == "message" && elements.count == 3) || (kind == "pmessage" && elements.count == 4),
      let channel = elements[elements.count - 2]?.bytes, let payload = elements[elements.count - 1]?.bytes
    else { return nil }
    self.init(
      channel: String(decoding: channel.prefix(Self.textLimit * 4), as: UTF8.self),
      payload: String(decoding: payload.prefix(Self.textLimit * 4), as: UTF8.self))
  }

  public init(channel: String, payload: String) {
    let words = payload.split(separator: " ").map(String.init)
    self =
      Self.known(channel, words)
      ?? .other(channel: String(channel.prefix(Self.textLimit)), payload: String(payload.prefix(Self.textLimit)))
  }

  private static func known(_ channel: String, _ words: [String]) -> SentinelEvent? {
    switch channel {
    case "+switch-master":
      guard words.count == 5, let from = NodeAddress(host: words[1], port: words[2]),
        let to = NodeAddress(host: words[3], port: words[4])
      else { return nil }
      return .switchMaster(name: words[0], from: from, to: to)
    case "+new-epoch":
      return words.count == 1 ? epoch(words[0]).map { .newEpoch($0) } : nil
    case "+vote-for-leader":
      return words.count == 2 ? epoch(words[1]).map { .vote(runID: words[0], epoch: $0) } : nil
    case "+tilt": return .tilt(true)
    case "-tilt": return .tilt(false)
    default:
      guard let change = Change(rawValue: channel), let instance = Instance(words) else { return nil }
      return .instance(change, instance)
    }
  }

  private static func epoch(_ word: String) -> Int? {
    // One that had to be cut is no epoch: all later ones would seem old beside it.
    parseInteger(Array(word.utf8)[...]).flatMap { (0..<Limits.integers.upperBound).contains($0) ? $0 : nil }
  }

  /// The master that the event is about; nil where it is about the Sentinel itself or not understood.
  public var masterName: String? {
    switch self {
    case .switchMaster(let name, _, _): name
    case .instance(_, let instance): instance.masterName
    case .newEpoch, .vote, .tilt, .other: nil
    }
  }
}

extension SentinelEvent.Instance {
  init?(_ words: [String]) {
    guard words.count >= 4, let kind = Kind(rawValue: words[0]),
      let address = NodeAddress(host: words[2], port: words[3])
    else { return nil }
    var rest = words.dropFirst(4)
    var masterName = words[1]
    var masterAddress = address
    if rest.first == "@" {
      let words = Array(rest.dropFirst().prefix(3))
      guard words.count == 3, let master = NodeAddress(host: words[1], port: words[2]) else { return nil }
      (masterName, masterAddress) = (words[0], master)
      rest = rest.dropFirst(4)
    } else if kind != .master {
      return nil
    }
    self.init(
      kind: kind, name: words[1], address: address, masterName: masterName, masterAddress: masterAddress,
      detail: String(rest.joined(separator: " ").prefix(SentinelEvent.textLimit)))
  }
}
