/// Every secret that the process has read, so that no text of others, a server's above all, repeats one.
///
/// It looks for each as it is, percent-encoded, and with quotes and backslashes escaped. A short one, and one of letters
/// alone, is hidden where it stands as a word, not within one. Those under 4 bytes are left alone, and so is a password that
/// may be a word of Redis in labels, pages and logs: a password `master` must not take away every `role="master"`, which
/// would also tell what it is.
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
  ///
  /// - Parameter sparesWords: whether secrets that may be words of Redis stay: the text is, in part, our own.
  public static func masked(_ text: String, sparesWords: Bool = false) -> String {
    guard let mask, let shown = mask.masked(Array(text.utf8)[...], isCut: true, sparesWords: sparesWords) else {
      return text
    }
    return String(decoding: shown, as: UTF8.self)
  }

  /// As above, of bytes that someone sent.
  public static func masked(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    mask?.masked(bytes, isCut: true)?[...] ?? bytes
  }
}

/// Finds a set of secrets in one pass over a text.
public final class SecretMask: Sendable {
  private struct Form: Hashable {
    var bytes: [UInt8]
    /// Counts only where neither letter, digit, `-` nor `_` stands beside it.
    var standsAlone: Bool
    /// May be a word of Redis, and of ours.
    var isWord: Bool
  }

  /// Shorter ones are found within other words by chance.
  private static let shortBytes = 8
  /// Words are not longer.
  private static let wordBytes = 16
  /// A beginning that is left of a secret must have that many bytes to be hidden, where the rest was cut off.
  private static let cutBytes = 8
  private static let mark = Array(KnownSecrets.mark.utf8)

  /// Those that begin with the same four bytes, the longest first.
  private let byStart: [UInt32: [Form]]
  /// Whether any begins with these two bytes, by their 65,536 values.
  private let firstPairs: [Bool]

  init(_ secrets: [String]) {
    var byStart: [UInt32: Set<Form>] = [:]
    var firstPairs = [Bool](repeating: false, count: 1 << 16)
    for secret in secrets {
      let isWord = secret.utf8.count < Self.wordBytes && secret.utf8.allSatisfy(Self.isLetter)
      for bytes in Self.forms(secret) where bytes.count >= KnownSecrets.minimumBytes {
        let form = Form(bytes: bytes, standsAlone: isWord || secret.utf8.count < Self.shortBytes, isWord: isWord)
        byStart[Self.start(bytes[...]), default: []].insert(form)
        firstPairs[Int(bytes[0]) << 8 | Int(bytes[1])] = true
      }
    }
    self.byStart = byStart.mapValues { $0.sorted { $0.bytes.count > $1.bytes.count } }
    self.firstPairs = firstPairs
  }

  /// - Parameters:
  ///   - isCut: whether the beginning of a secret counts, where neither letter nor digit follows.
  ///   - sparesWords: whether secrets that may be words of Redis stay.
  /// - Returns: nil when there is nothing to hide.
  public func masked(_ text: ArraySlice<UInt8>, isCut: Bool = false, sparesWords: Bool = false) -> [UInt8]? {
    guard text.count >= KnownSecrets.minimumBytes else { return nil }
    var shown: [UInt8]?
    var copied = text.startIndex
    var index = text.startIndex
    let last = text.endIndex - KnownSecrets.minimumBytes
    while index <= last {
      guard firstPairs[Int(text[index]) << 8 | Int(text[index + 1])],
        let count = length(at: index, in: text, isCut: isCut, sparesWords: sparesWords)
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
  private func length(at index: Int, in text: ArraySlice<UInt8>, isCut: Bool, sparesWords: Bool) -> Int? {
    let rest = text[index...]
    guard var candidates = byStart[Self.start(rest)] else { return nil }
    if sparesWords { candidates.removeAll { $0.isWord } }
    func isWhole(_ form: Form) -> Bool {
      guard rest.starts(with: form.bytes) else { return false }
      guard form.standsAlone else { return true }
      let before = index > text.startIndex ? text[index - 1] : nil
      let after = rest.dropFirst(form.bytes.count).first
      return ![before, after].contains { $0.map { $0.isASCIIAlphanumeric || "-_".utf8.contains($0) } ?? false }
    }
    if let whole = candidates.first(where: isWhole) { return whole.bytes.count }
    guard isCut else { return nil }
    let common = candidates.map { zip($0.bytes, rest).prefix { $0 == $1 }.count }.max() ?? 0
    guard common >= Self.cutBytes else { return nil }
    let next = rest.dropFirst(common).first
    return next?.isASCIIAlphanumeric ?? false ? nil : common
  }

  private static func isLetter(_ byte: UInt8) -> Bool { byte.isASCIIAlphanumeric && byte >= UInt8(ascii: "A") }

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
        byte.isASCIIAlphanumeric || "-_.~".utf8.contains(byte)
          ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    let escaped = bytes.flatMap { byte in
      byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") ? [UInt8(ascii: "\\"), byte] : [byte]
    }
    return [bytes, percentEncoded(digits.0), percentEncoded(digits.1), escaped]
  }
}
