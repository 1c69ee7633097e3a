import Redis
import Runtime

/// What the flight recorder may keep of a reply. A collector declares it for each of its commands; what nobody declares is
/// not recorded.
public enum ReplyRecording: Sendable {
  /// Nothing: the step of the collector is missing in a recording.
  case nothing
  /// Numbers, and words of the server's own such as names of latency events.
  case numbersAndWords
  /// A list of entries; each keeps its first elements, which are numbers.
  case leadingNumbers(Int)
  /// A list of names and values, or a list of such lists, with these names alone.
  case pairs(HashSet)
  /// Lines of `name:value` whose values are numbers or words.
  case lines
  /// Lines of CLUSTER NODES.
  case nodes
  /// A word or a sentence of the server's own, such as an id or the verdict of SENTINEL CKQUORUM.
  case text

  /// Names in a list of names and values.
  static func pairs(_ names: [String]) -> ReplyRecording { .pairs(HashSet(names.map { fnvHash($0) })) }
}

/// Hashes that are known, asked for a million times a minute: open addressing over a flat array.
public struct HashSet: Sendable {
  private let slots: [UInt64]

  public init(_ hashes: [UInt64]) {
    var size = 16
    while size < hashes.count * 4 { size *= 2 }
    var slots = [UInt64](repeating: 0, count: size)
    for hash in hashes where hash != 0 {
      var slot = Int(truncatingIfNeeded: hash) & (size - 1)
      while slots[slot] != 0, slots[slot] != hash { slot = (slot + 1) & (size - 1) }
      slots[slot] = hash
    }
    self.slots = slots
  }

  public func contains(_ hash: UInt64) -> Bool {
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] != 0 {
      if slots[slot] == hash { return true }
      slot = (slot + 1) & (slots.count - 1)
    }
    return false
  }
}

/// Words that may stand in a recording as a server sent them.
enum RecordedWord {
  static let byteLimit = 64
  static let numberLimit = 32

  /// A name of a command, an event or a state: ASCII letters, digits and `|._-`, beginning with a letter.
  static func isWord(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard let first = bytes.first, first.isASCIILetter, bytes.count <= byteLimit else { return false }
    for byte in bytes where !isOfWord(byte) { return false }
    return true
  }

  private static func isOfWord(_ byte: UInt8) -> Bool {
    byte.isASCIIAlphanumeric || byte == UInt8(ascii: "|") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
      || byte == UInt8(ascii: "-")
  }

  /// A number, with its sign, fraction, exponent or `%`.
  static func isNumber(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard bytes.count <= numberLimit else { return false }
    var hasDigit = false
    for byte in bytes {
      if byte.isASCIIDigit {
        hasDigit = true
      } else if byte != UInt8(ascii: "."), byte != UInt8(ascii: "-"), byte != UInt8(ascii: "+"),
        byte != UInt8(ascii: "%"), byte != UInt8(ascii: "e")
      {
        return false
      }
    }
    return hasDigit
  }

  /// `ok`, `up`, `no-failover`: short and in lower case.
  static func isState(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard !bytes.isEmpty, bytes.count <= 24 else { return false }
    for byte in bytes where !(byte &- UInt8(ascii: "a") < 26) && byte != UInt8(ascii: "-") && byte != UInt8(ascii: "_")
    {
      return false
    }
    return true
  }

  /// The codes that Redis and Valkey put before errors. Scripts make up others, with anything in them.
  static let errorCodes: Set<String> = [
    "ASK", "BADARITY", "BUSY", "BUSYGROUP", "BUSYKEY", "CLUSTERDOWN", "CROSSSLOT", "DENIED", "ERR", "EXECABORT",
    "FAILOVER",
    "FUNCTION", "INPROG", "INVALIDOBJ", "IOERR", "LOADING", "MASTERDOWN", "MISCONF", "MOVED", "NOADDR", "NOAUTH",
    "NOGOODSLAVE", "NOGROUP", "NOMASTERLINK", "NOPERM", "NOPROTO", "NOQUORUM", "NOREPLICAS", "NOSCRIPT", "NOSUB",
    "NOTBUSY", "NOTREADY", "OOM", "READONLY", "REDIRECT", "SYNTAX", "TRYAGAIN", "UNBLOCKED", "UNKILLABLE", "UNSTABLE",
    "WRONGPASS", "WRONGTYPE",
  ]

  static func isErrorCode(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.count <= 16 && errorCodes.contains(String(decoding: bytes, as: UTF8.self))
  }
}
