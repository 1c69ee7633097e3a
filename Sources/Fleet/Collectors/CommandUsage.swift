import Redis

/// Calls and time of a command, as the section Commandstats has them.
struct CommandUsage: Sendable {
  var calls = 0.0
  var microseconds = 0.0

  /// The name after `cmdstat_`, or nil for another field.
  static func command(of field: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    field.count > prefix.count && field.starts(with: prefix) ? field.dropFirst(prefix.count) : nil
  }
  private static let prefix = Array("cmdstat_".utf8)
}

/// The usage of every command of an INFO.
struct CommandUsages {
  private var exact: [ArraySlice<UInt8>: CommandUsage] = [:]
  /// The sum over the subcommands of a container command.
  private var subcommands: [ArraySlice<UInt8>: CommandUsage] = [:]

  init(_ info: InfoText) {
    let fields = info.fields(inSection: InfoSection.commandStats)
    exact.reserveCapacity(fields.count)
    for field in fields {
      guard let command = CommandUsage.command(of: info.name(of: field)), exact[command] == nil
      else { continue }
      var usage = CommandUsage()
      for (key, text) in InfoPairs(info.value(of: field)) {
        if key.elementsEqual("calls".utf8) {
          usage.calls = parseDouble(text) ?? 0
        } else if key.elementsEqual("usec".utf8) {
          usage.microseconds = parseDouble(text) ?? 0
        }
      }
      exact[command] = usage
      if let bar = command.firstIndex(of: UInt8(ascii: "|")) {
        subcommands[command[..<bar], default: CommandUsage()].add(usage)
      }
    }
  }

  /// The usage of that very command.
  subscript(command: ArraySlice<UInt8>) -> CommandUsage? { exact[command] }

  /// The usage of a command together with its subcommands.
  func withSubcommands(_ command: ArraySlice<UInt8>) -> CommandUsage? {
    guard let inner = subcommands[command] else { return exact[command] }
    var sum = exact[command] ?? CommandUsage()
    sum.add(inner)
    return sum
  }
}

extension CommandUsage {
  mutating func add(_ other: CommandUsage) {
    calls += other.calls
    microseconds += other.microseconds
  }
}
