/// Lines of redis.conf as Redis splits them into words (sds.c, `sdssplitargs`).
enum ConfWords {
  /// Words are parted by blanks. In double quotes `\n`, `\r`, `\t`, `\b`, `\a` and `\xHH` are escapes, and any other
  /// character behind a backslash is itself; in single quotes only `\'` is one. A quote may begin within a word.
  ///
  /// - Returns: nil where a quote is not closed, or what comes behind it is no blank.
  static func split(_ line: ArraySlice<UInt8>) -> [[UInt8]]? {
    var words: [[UInt8]] = []
    var place = line.startIndex
    func byte(_ offset: Int = 0) -> UInt8? { place + offset < line.endIndex ? line[place + offset] : nil }
    while true {
      while let next = byte(), isBlank(next) { place += 1 }
      guard byte() != nil else { return words }
      var word: [UInt8] = []
      var quote: UInt8?
      scan: while true {
        let next = byte()
        switch (quote, next) {
        case (nil, nil), (nil, UInt8(ascii: " ")), (nil, UInt8(ascii: "\t")), (nil, UInt8(ascii: "\r")),
          (nil, UInt8(ascii: "\n")):
          break scan
        case (nil, UInt8(ascii: "\"")), (nil, UInt8(ascii: "'")): quote = next
        case (_, nil): return nil
        case (quote, quote) where quote != nil:
          place += 1
          if let behind = byte(), !isBlank(behind) { return nil }
          break scan
        case (UInt8(ascii: "\""), UInt8(ascii: "\\")) where byte(1) != nil:
          place += 1
          if byte() == UInt8(ascii: "x"), let high = byte(1).flatMap(digit), let low = byte(2).flatMap(digit) {
            word.append(high << 4 | low)
            place += 2
          } else if let escaped = byte() {
            word.append(escape(escaped))
          }
        case (UInt8(ascii: "'"), UInt8(ascii: "\\")) where byte(1) == UInt8(ascii: "'"):
          place += 1
          word.append(UInt8(ascii: "'"))
        case (_, let next?): word.append(next)
        }
        place += 1
      }
      words.append(word)
    }
  }

  /// As `isspace` of C tells.
  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

  private static func escape(_ byte: UInt8) -> UInt8 {
    switch byte {
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "a"): 0x07
    default: byte
    }
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
