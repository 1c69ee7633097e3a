import Testing

@testable import Fleet

@Suite struct ScanMatchTests {
  private static let cases: [([String], String?)] = [
    (["lock:*"], "lock:*"),
    (["*"], nil),
    (["lock:*", "circuit:*:failures"], "[cl][io][cr][ck][:u]*"),
    (["lock:*", "lock:b:*"], "lock:*"),
    (["a-*", "a]*", "a^*"], "a[\\-\\]\\^]*"),
    (["lock:*", "*:lock"], nil),
    (["lock:*", "[ab]*"], nil),
    (["verylongprefix:*", "verylongname:*"], "verylong*"),
    (["\\*a", "b"], nil),
  ]

  @Test(arguments: cases)
  func onePatternForAll(patterns: [String], expected: String?) {
    let match = ScanMatch.covering(patterns.map { Array($0.utf8) })
    #expect(match.map { String(decoding: $0, as: UTF8.self) } == expected)
  }

  /// Whatever one of the patterns matches, the one for all matches.
  @Test func nothingIsLost() {
    var random = SystemRandomNumberGenerator()
    let letters = Array("ab-^]\\:".utf8)
    func word(_ count: ClosedRange<Int>) -> [UInt8] {
      (0..<Int.random(in: count, using: &random)).map { _ in letters.randomElement(using: &random)! }
    }
    for _ in 0..<2000 {
      let prefixes = (0..<3).map { _ in word(1...10).filter { $0 != UInt8(ascii: "\\") } }
      guard let match = ScanMatch.covering(prefixes.map { $0 + [UInt8(ascii: "*")] }) else { continue }
      for prefix in prefixes {
        let key = prefix + word(0...5)
        #expect(Glob(match).matches(key[...]), "\(match) \(key)")
      }
    }
  }
}
