import CHiredis

/// A command with its arguments.
public struct Command: Sendable, Hashable, ExpressibleByArrayLiteral, CustomStringConvertible {
  public let arguments: [[UInt8]]

  public init(_ arguments: [String]) { self.arguments = arguments.map { Array($0.utf8) } }
  public init(bytes arguments: [[UInt8]]) { self.arguments = arguments }
  public init(arrayLiteral elements: String...) { self.init(elements) }

  /// The command's name and first argument: what a log may say of it. Of a login the name alone.
  public var description: String {
    arguments.prefix(isLogin ? 1 : 2).map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
  }

  /// Whether its arguments are a login, so that its answer may repeat them.
  var isLogin: Bool {
    let name = arguments.first.map { String(decoding: $0, as: UTF8.self).uppercased() }
    return name == "AUTH" || name == "HELLO"
  }

  /// The bytes to send, as hiredis formats them.
  public var encoded: [UInt8] {
    let flat = arguments.flatMap { $0 }
    var lengths = arguments.map(\.count)
    return unsafe flat.withUnsafeBytes { raw in
      var pointers: [UnsafePointer<CChar>?] = unsafe []
      var offset = 0
      for argument in arguments {
        // An empty argument still needs an address.
        let base = unsafe raw.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!
        unsafe pointers.append((base + offset).assumingMemoryBound(to: CChar.self))
        offset += argument.count
      }
      var formatted: UnsafeMutablePointer<CChar>?
      let count = unsafe redisFormatCommandArgv(
        &formatted, Int32(arguments.count), &pointers, &lengths)
      precondition(count >= 0, "redisFormatCommandArgv: \(count)")
      defer { unsafe redisFreeCommand(formatted) }
      return unsafe Array(UnsafeRawBufferPointer(start: formatted, count: Int(count)))
    }
  }
}

/// Commands that go out in one write and whose replies come back in order.
public struct CommandBatch: Sendable {
  public let commands: [Command]
  public let encoded: [UInt8]

  public init(_ commands: [Command]) {
    self.commands = commands
    self.encoded = commands.flatMap(\.encoded)
  }
}
