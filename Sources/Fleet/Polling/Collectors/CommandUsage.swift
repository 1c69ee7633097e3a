import Redis

/// Calls and time of a command, as the section Commandstats has them.
struct CommandUsage: Sendable, Equatable {
  var calls = 0.0
  var microseconds = 0.0

  init() {}

  /// Reads `calls=21,usec=175,…`.
  init(_ text: ArraySlice<UInt8>) {
    for (key, value) in InfoPairs(text) {
      if key.elementsEqual("calls".utf8) {
        calls = parseDouble(value) ?? 0
      } else if key.elementsEqual("usec".utf8) {
        microseconds = parseDouble(value) ?? 0
      }
    }
  }

  mutating func add(_ other: CommandUsage) {
    calls += other.calls
    microseconds += other.microseconds
  }

  /// The name after `cmdstat_`, or nil for another field.
  static func command(of field: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    field.count > prefix.count && field.starts(with: prefix) ? field.dropFirst(prefix.count) : nil
  }
  private static let prefix = Array("cmdstat_".utf8)
}

/// An index over the section Commandstats. Values are read when they are asked for.
struct CommandUsages {
  private let info: InfoText
  private let fields: ArraySlice<InfoText.Field>
  /// Where a command stands in `fields`, by the hash of its name; the first of each hash.
  private var places: [UInt64: Int] = [:]
  /// Where the subcommands of a container stand, by the hash of the container's name.
  private var subcommands: [UInt64: [Int]] = [:]

  init(_ info: InfoText) {
    self.info = info
    fields = info.fields(inSection: InfoSection.commandStats)
    places.reserveCapacity(fields.count)
    for place in fields.indices {
      guard let command = CommandUsage.command(of: info.name(of: fields[place])) else { continue }
      let hash = fnvHash(command)
      if places[hash] == nil { places[hash] = place }
      if let bar = command.firstIndex(of: UInt8(ascii: "|")) {
        subcommands[fnvHash(command[..<bar]), default: []].append(place)
      }
    }
  }

  /// Whether the server reported no command at all.
  var isEmpty: Bool { places.isEmpty }

  /// The usage of that very command.
  subscript(command: ArraySlice<UInt8>) -> CommandUsage? {
    guard let place = places[fnvHash(command)], self.command(at: place) == command else { return nil }
    return CommandUsage(info.value(of: fields[place]))
  }

  /// The usage of a command together with its subcommands.
  func withSubcommands(_ command: ArraySlice<UInt8>) -> CommandUsage? {
    let own = self[command]
    guard let inner = subcommands[fnvHash(command)] else { return own }
    var sum = own ?? CommandUsage()
    for place in inner where self.command(at: place).starts(with: command) {
      sum.add(CommandUsage(info.value(of: fields[place])))
    }
    return sum
  }

  private func command(at place: Int) -> ArraySlice<UInt8> {
    CommandUsage.command(of: info.name(of: fields[place])) ?? []
  }
}

extension CommandUsages: SharedReading {
  static func read(_ poll: PollContext) -> CommandUsages? { CommandUsages(poll.info) }
}

extension PollContext {
  var usages: CommandUsages { reading(CommandUsages.self) ?? CommandUsages(info) }
}
