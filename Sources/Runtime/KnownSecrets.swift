/// Every secret that the process has read, so that no text of others, a server's above all, repeats one.
///
/// It looks for each as it is, percent-encoded, and with quotes and backslashes escaped. Secrets under 4 bytes are left
/// alone: hiding them everywhere would hide words, and tell what they are.
public enum KnownSecrets {
  /// What stands in the place of a secret.
  public static let mark = "<secret>"

  static let minimumBytes = 4
  /// The most that are kept; a rotation takes the oldest's place.
  static let limit = 20_000

  private struct State {
    var known: Set<String> = []
    var order: [String] = []
    /// Nil after a change.
    var mask: SecretMask?
  }
  private static let state = Lock(State())

  public static func add(_ text: String) {
    guard text.utf8.count >= minimumBytes else { return }
    state.withLock { state in
      guard state.known.insert(text).inserted else { return }
      state.order.append(text)
      if state.order.count > limit {
        let oldest = state.order[..<(limit / 10)]
        state.known.subtract(oldest)
        state.order.removeFirst(oldest.count)
      }
      state.mask = nil
    }
  }

  /// What hides all of them; nil while there are none.
  public static var mask: SecretMask? {
    state.withLock { state in
      if state.order.isEmpty { return nil }
      if let mask = state.mask { return mask }
      let mask = SecretMask(state.order)
      state.mask = mask
      return mask
    }
  }

  /// The text without secrets, nor the beginning of one where others have cut it.
  public static func masked(_ text: String) -> String {
    guard let mask, let shown = mask.masked(Array(text.utf8)[...], isCut: true) else { return text }
    return String(decoding: shown, as: UTF8.self)
  }

  /// As above, of bytes that someone sent.
  public static func masked(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    mask?.masked(bytes, isCut: true)?[...] ?? bytes
  }
}

/// Finds a set of secrets in one pass over a text.
public final class SecretMask: Sendable {
  /// A beginning that is left of a secret must have that many bytes to be hidden, where the rest was cut off.
  private static let cutBytes = 8
  private static let mark = Array(KnownSecrets.mark.utf8)

  /// Those that begin with the same four bytes, the longest first.
  private let byStart: [UInt32: [[UInt8]]]
  /// Whether any begins with these two bytes, by their 65,536 values.
  private let firstPairs: [Bool]

  init(_ secrets: [String]) {
    var byStart: [UInt32: Set<[UInt8]>] = [:]
    var firstPairs = [Bool](repeating: false, count: 1 << 16)
    for form in secrets.flatMap(Self.forms) where form.count >= KnownSecrets.minimumBytes {
      byStart[Self.start(form[...]), default: []].insert(form)
      firstPairs[Int(form[0]) << 8 | Int(form[1])] = true
    }
    self.byStart = byStart.mapValues { $0.sorted { $0.count > $1.count } }
    self.firstPairs = firstPairs
  }

  /// - Parameter isCut: whether the beginning of a secret counts, where neither letter nor digit follows.
  /// - Returns: nil when there is nothing to hide.
  public func masked(_ text: ArraySlice<UInt8>, isCut: Bool = false) -> [UInt8]? {
    guard text.count >= KnownSecrets.minimumBytes else { return nil }
    var shown: [UInt8]?
    var copied = text.startIndex
    var index = text.startIndex
    let last = text.endIndex - KnownSecrets.minimumBytes
    while index <= last {
      guard firstPairs[Int(text[index]) << 8 | Int(text[index + 1])],
        let count = length(at: index, in: text, isCut: isCut)
      else {
        index += 1
        continue
      }
      shown = (shown ?? []) + text[copied..<index] + Self.mark
      index += count
      copied = index
    }
    return shown.map { $0 + text[copied...] }
  }

  /// How many bytes from there on are a secret.
  private func length(at index: Int, in text: ArraySlice<UInt8>, isCut: Bool) -> Int? {
    let rest = text[index...]
    guard let candidates = byStart[Self.start(rest)] else { return nil }
    if let whole = candidates.first(where: { rest.starts(with: $0) }) { return whole.count }
    guard isCut else { return nil }
    let common = candidates.map { zip($0, rest).prefix { $0 == $1 }.count }.max() ?? 0
    guard common >= Self.cutBytes else { return nil }
    let next = rest.dropFirst(common).first
    return next.map(Self.isWordByte) ?? false ? nil : common
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }

  /// The first four bytes in one number.
  private static func start(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.prefix(KnownSecrets.minimumBytes).reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// The ways in which programs write a text.
  private static func forms(_ secret: String) -> [[UInt8]] {
    let bytes = Array(secret.utf8)
    let digits = (Array("0123456789ABCDEF".utf8), Array("0123456789abcdef".utf8))
    func percentEncoded(_ digits: [UInt8]) -> [UInt8] {
      bytes.flatMap { byte in
        isWordByte(byte) || "-_.~".utf8.contains(byte)
          ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    let escaped = bytes.flatMap { byte in
      byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") ? [UInt8(ascii: "\\"), byte] : [byte]
    }
    return [bytes, percentEncoded(digits.0), percentEncoded(digits.1), escaped]
  }
}
