import Redis

/// One part of what redline does to a server, with the commands that it sends for it.
public struct AccessNeed: Sendable {
  /// A collector's name, or what else sends commands: `login`, `probe`, `key watches`.
  public let feature: String
  /// As they are sent, with ``sampleKey(of:)`` of each of `keys` where they name one.
  public let commands: [Command]
  /// The globs of the keys that the commands are sent for; empty where they name none.
  public let keys: [[UInt8]]
  /// The databases that must be there.
  public let databases: Set<Int>
  /// The globs of the channels that are listened to.
  public let channels: [String]
  /// What is not known without it: names of families, or a sentence.
  public let lost: [String]

  init(
    _ feature: String, _ commands: [Command], keys: [[UInt8]] = [], databases: Set<Int> = [], channels: [String] = [],
    lost: [String]
  ) {
    self.feature = feature
    self.commands = commands
    self.keys = keys
    self.databases = databases
    self.channels = channels
    self.lost = lost
  }

  /// A need of the same kind for every pattern.
  init(_ feature: String, keys: [[UInt8]], lost: [String], commands: ([UInt8]) -> [Command]) {
    self.init(feature, keys.flatMap { commands(Self.sampleKey(of: $0)) }, keys: keys, lost: lost)
  }

  /// A name that a glob matches and that no application is likely to use; the glob itself where it is a name.
  static func sampleKey(of glob: [UInt8]) -> [UInt8] { Glob(glob).sample(ofStar: Array("redline-check".utf8)) }
}

extension Command {
  /// Commands whose first argument is a command of its own.
  private static let containers: Set<String> = [
    "ACL", "CLIENT", "CLUSTER", "COMMAND", "COMMANDLOG", "CONFIG", "LATENCY", "MEMORY", "MODULE", "SENTINEL", "SLOWLOG",
    "XINFO",
  ]

  /// What an ACL calls it: `info`, `config|get`.
  ///
  /// - Parameter configCommand: the name of CONFIG where it was renamed; an ACL keeps to the original.
  func aclName(configCommand: String?) -> String {
    let words = arguments.prefix(2).map { String(decoding: $0, as: UTF8.self).uppercased() }
    guard var name = words.first else { return "" }
    if name == configCommand?.uppercased() { name = "CONFIG" }
    return (Self.containers.contains(name) ? [name] + words.dropFirst() : [name]).joined(separator: "|").lowercased()
  }
}
