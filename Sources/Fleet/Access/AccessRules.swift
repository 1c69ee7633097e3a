import Redis

/// The rules of an ACL that allow what is needed, and nothing more.
public struct AccessRules: Sendable, Equatable {
  /// `+config|get`, sorted.
  public let commands: [String]
  /// `%R~lock:*`, sorted; `~` before Redis 7, which knows no rights to read alone.
  public let keys: [String]
  /// `&*`.
  public let channels: [String]
  private let hasChannels: Bool

  /// - Parameters:
  ///   - version: of the server, as Redis counts.
  ///   - configCommand: the name of CONFIG where it was renamed.
  public init(_ needs: [AccessNeed], version: Version, configCommand: String?) {
    commands = Set(needs.flatMap(\.commands).map { "+" + $0.aclName(configCommand: configCommand) }).sorted()
    let prefix = version >= Version(7) ? "%R~" : "~"
    let globs = Set(needs.flatMap(\.keys).map(Self.word))
    keys = (globs.contains("*") ? ["*"] : globs.sorted()).map { prefix + $0 }
    hasChannels = version >= Version(6, 2)
    channels = hasChannels ? Set(needs.flatMap(\.channels).map { "&" + $0 }).sorted() : []
  }

  /// A glob as a word of a rule: bytes that would end the word match as any byte.
  private static func word(_ glob: [UInt8]) -> String {
    String(decoding: glob.map { (0x21..<0x7f).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
  }

  /// What comes after the user's name and password.
  public var text: String {
    (["resetkeys"] + (hasChannels ? ["resetchannels"] : []) + ["-@all"] + keys + channels + commands)
      .joined(separator: " ")
  }
}
