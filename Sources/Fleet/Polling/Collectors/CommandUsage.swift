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
  /// Where commands stand in `fields`, by the hash of their names; the first of each hash. -1 where a slot is free.
  private var slots: [Int32]
  /// Of each command, in the order of `fields`; 0 for another field.
  private var hashes: [UInt64] = []
  private let shift: UInt64
  /// Where the subcommands of a container stand, by the hash of the container's name.
  private var subcommands: [UInt64: [Int]] = [:]
  /// Another one in each process, so that no server can aim at one slot.
  private static let seed = UInt64.random(in: .min ... .max) | 1

  init(_ info: InfoText) {
    self.info = info
    fields = info.fields(inSection: InfoSection.commandStats)
    var bits: UInt64 = 4
    while 1 << bits < fields.count * 2 { bits += 1 }
    shift = 64 - bits
    slots = [Int32](repeating: -1, count: 1 << Int(bits))
    hashes.reserveCapacity(fields.count)
    for (place, field) in fields.enumerated() {
      guard let command = CommandUsage.command(of: info.name(of: field)) else {
        hashes.append(0)
        continue
      }
      let hash = fnvHash(command)
      hashes.append(hash)
      let slot = slot(of: hash)
      if slots[slot] < 0 { slots[slot] = Int32(place) }
      if let bar = command.firstIndex(of: UInt8(ascii: "|")) {
        subcommands[fnvHash(command[..<bar]), default: []].append(fields.startIndex + place)
      }
    }
  }

  /// Where the hash stands, or the free slot in which it would.
  private func slot(of hash: UInt64) -> Int {
    var slot = Int((hash &* Self.seed) >> shift)
    while slots[slot] >= 0, hashes[Int(slots[slot])] != hash { slot = (slot + 1) & (slots.count - 1) }
    return slot
  }

  /// Whether the server reported no command at all.
  var isEmpty: Bool { !hashes.contains { $0 != 0 } }

  /// The usage of that very command.
  subscript(command: ArraySlice<UInt8>) -> CommandUsage? {
    let index = Int(slots[slot(of: fnvHash(command))])
    guard index >= 0, case let place = fields.startIndex + index, self.command(at: place) == command else { return nil }
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
