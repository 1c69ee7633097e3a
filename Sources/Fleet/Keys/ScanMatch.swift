/// Makes one pattern for SCAN out of several, so that one walk serves them all and the server drops most other names.
///
/// What the pattern matches is a superset of what the given ones match: it looks at the first bytes only.
enum ScanMatch {
  /// - Returns: nil where nothing can be left to the server.
  static func covering(_ all: [[UInt8]]) -> [UInt8]? {
    let patterns = Array(Set(all))
    if patterns.count == 1 { return patterns[0] == [UInt8(ascii: "*")] ? nil : patterns[0] }
    let prefixes = patterns.map { $0.prefix { !special.contains($0) } }
    let length = min(longest, prefixes.map(\.count).min() ?? 0)
    guard length > 0 else { return nil }
    var match: [UInt8] = []
    for place in 0..<length {
      let bytes = Set(prefixes.map { $0[place] }).sorted()
      if bytes.count == 1 {
        match.append(bytes[0])
      } else {
        match += [UInt8(ascii: "[")] + bytes.flatMap { setMarks.contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] }
        match.append(UInt8(ascii: "]"))
      }
    }
    return match + [UInt8(ascii: "*")]
  }

  /// Enough to tell most names apart; each further byte costs the server time at every key.
  private static let longest = 8
  private static let special = Set("*?[\\".utf8)
  private static let setMarks = Set("-^]\\".utf8)
}
