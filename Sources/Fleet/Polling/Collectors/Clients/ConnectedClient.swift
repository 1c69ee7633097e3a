import Redis

/// One line of CLIENT LIST.
struct ConnectedClient {
  var id: ArraySlice<UInt8> = []
  var name: ArraySlice<UInt8> = []
  var user: ArraySlice<UInt8> = []
  var flags: ArraySlice<UInt8> = []
  var db: ArraySlice<UInt8> = []
  var host: ArraySlice<UInt8> = []
  var port: ArraySlice<UInt8> = []
  var resp: ArraySlice<UInt8> = []
  /// The server's address that it is connected to, with the port; empty before 6.2.
  var serverAddress: ArraySlice<UInt8> = []
  /// Its last command; nil where it sent none, and where the server does not tell.
  var command: ArraySlice<UInt8>?
  /// Numbers by the name of their field; what the server does not send is absent.
  private var numbers: [(key: ArraySlice<UInt8>, value: Double)] = []

  /// - Returns: nil for a line without id and address.
  init?(_ line: ArraySlice<UInt8>) {
    numbers.reserveCapacity(24)
    for (key, text) in InfoPairs(line, separator: UInt8(ascii: " ")) {
      switch String(decoding: key, as: UTF8.self) {
      case "id": id = text
      case "name": name = text
      case "user": user = text
      case "flags": flags = text
      case "db": db = text
      case "resp": resp = text
      case "laddr": serverAddress = text
      case "cmd": command = text == ArraySlice("NULL".utf8) ? nil : text
      case "addr":
        // The port is after the last colon: the host may be IPv6, or a path.
        guard let colon = text.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        host = text[..<colon]
        port = text[(colon + 1)...]
      default: if let number = parseDouble(text) { numbers.append((key, number)) }
      }
    }
    if id.isEmpty || (host.isEmpty && port.isEmpty) { return nil }
  }

  subscript(field: String) -> Double? {
    numbers.first { $0.key.elementsEqual(field.utf8) }?.value
  }

  /// What a connection is for.
  enum Kind: String, CaseIterable {
    case normal, replica, master, pubsub, monitor
    /// Of another node of the cluster that gives or takes slots.
    case slotMigration = "slot_migration"
  }

  var kind: Kind {
    if has("O") { return .monitor }
    if has("S") { return .replica }
    if has("M") { return .master }
    // Valkey 9 exports and imports, Redis 8.4 migrates and imports.
    if ["E", "i", "g", "o"].contains(where: has) { return .slotMigration }
    return has("P") ? .pubsub : .normal
  }

  func has(_ flag: Unicode.Scalar) -> Bool { flags.contains(UInt8(ascii: flag)) }
}
