import Testing

@testable import Fleet

@Suite(.timeLimit(.minutes(1))) struct GlobTests {
  /// Checked against redis-server's KEYS in ``KeyWorkLiveTests``.
  static let cases: [(pattern: String, key: String, matches: Bool)] = [
    ("*", "", true), ("", "", true), ("", "a", false), ("a", "a", true), ("a", "A", false),
    ("h?llo", "hello", true), ("h?llo", "hllo", false), ("h*llo", "heeeello", true), ("h*llo", "hllo", true),
    ("h[ae]llo", "hallo", true), ("h[ae]llo", "hillo", false), ("h[^e]llo", "hallo", true),
    ("h[^e]llo", "hello", false),
    ("h[a-b]llo", "hbllo", true), ("h[b-a]llo", "hallo", true), ("h[a-b]llo", "hcllo", false),
    ("a\\*b", "a*b", true), ("a\\*b", "axb", false), ("a\\", "a\\", true), ("[\\]]", "]", true), ("[]a]", "a]", false),
    ("[^]", "x", true), ("[abc", "b", true), ("[a-", "-", true), ("[a-", "a", true), ("a[", "a[", false),
    ("*a*b*c", "xxaxxbxxc", true), ("*a*b*c", "xxaxxbxx", false), ("**a", "a", true), ("**", "", false),
    ("a**", "a", true),
    ("*?", "", false), ("?*", "x", true), ("*aab", "aaaab", true), ("user:*:cart", "user:42:cart", true),
    ("a]b", "a]b", true), ("[a-z]*[0-9]", "key9", true), ("[a-z]*[0-9]", "key", false),
  ]

  @Test(arguments: cases) func matchesAsRedisDoes(pattern: String, key: String, matches: Bool) {
    #expect(Glob(pattern).matches(Array(key.utf8)[...]) == matches)
  }

  @Test func matchesASliceThatDoesNotStartAtZero() {
    let bytes = Array("xxhello".utf8)
    #expect(Glob("h*o").matches(bytes[2...]))
    #expect(!Glob("x*").matches(bytes[2...]))
  }

  @Test func manyStarsAreNoTrap() {
    let key = [UInt8](repeating: UInt8(ascii: "a"), count: 20_000)
    #expect(!Glob(String(repeating: "a*", count: 40) + "b").matches(key[...]))
  }

  /// The same answers as a plain recursive matcher gives, on short random patterns.
  @Test func agreesWithTheDefinition() {
    var random = SeededRandom(seed: 7)
    for _ in 0..<20_000 {
      let pattern = random.bytes(of: "ab*?\\", count: 6)
      let key = random.bytes(of: "ab*?", count: 6)
      if key.isEmpty { continue }
      #expect(
        Glob(pattern).matches(key[...]) == defined(pattern[...], key[...]),
        "\(String(decoding: pattern, as: UTF8.self)) on \(String(decoding: key, as: UTF8.self))")
    }
  }

  @Test func anyBytesAreAPattern() {
    var random = SeededRandom(seed: 8)
    for _ in 0..<20_000 {
      _ = Glob(random.bytes(of: "[]^-\\*?ab", count: 12)).matches(random.bytes(of: "[]^-ab", count: 8)[...])
    }
  }

  private func defined(_ pattern: ArraySlice<UInt8>, _ key: ArraySlice<UInt8>) -> Bool {
    guard let first = pattern.first else { return key.isEmpty }
    switch first {
    case UInt8(ascii: "*"):
      return defined(pattern.dropFirst(), key) || (!key.isEmpty && defined(pattern, key.dropFirst()))
    case UInt8(ascii: "?"): return !key.isEmpty && defined(pattern.dropFirst(), key.dropFirst())
    case UInt8(ascii: "\\") where pattern.count > 1:
      let rest = pattern.dropFirst()
      return key.first == rest.first && defined(rest.dropFirst(), key.dropFirst())
    default: return key.first == first && defined(pattern.dropFirst(), key.dropFirst())
    }
  }
}

/// A small generator with a fixed seed (splitmix64), so that a failure can be repeated.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
    return value ^ value >> 31
  }

  /// Up to `count` bytes of `alphabet`.
  mutating func bytes(of alphabet: String, count: Int) -> [UInt8] {
    let alphabet = Array(alphabet.utf8)
    return (0..<Int.random(in: 0...count, using: &self)).map { _ in alphabet.randomElement(using: &self)! }
  }
}
