import Testing

@testable import Config

@Suite struct KeyPatternTests {
  static let good: [(String, [String])] = [
    ("", []), (",, ", []), ("a", ["0 a"]), ("db3=a*", ["3 a* glob"]), ("3=a", ["3 a"]), ("db03=a", ["3 a"]),
    ("a, db1 = b ,c", ["0 a", "1 b", "0 c"]), ("db3=", []), ("db=a", []), ("=a", []), ("a+b", ["0 a b"]),
    ("a%2Cb%3Dc%25", ["0 a,b=c%"]), ("db15=x[1]", ["15 x[1] glob"]), ("k?", ["0 k? glob"]), ("^", ["0 ^ glob"]),
    ("db2147483647=a", ["2147483647 a"]), ("%2a", ["0 * glob"]), ("é", ["0 é"]),
  ]

  @Test(arguments: good)
  func listIsRead(text: String, expected: [String]) throws {
    let patterns = try KeyPattern.list(text)
    #expect(patterns.map { "\($0.database) \($0.text)" + ($0.isGlob ? " glob" : "") } == expected)
  }

  @Test func keysAreBytes() throws {
    #expect(try KeyPattern.list("%ff%00") == [KeyPattern(database: 0, bytes: [0xFF, 0])])
  }

  @Test(arguments: ["a=b=c", "dbx=a", "-1=a", "db-1=a", "99999999999=a", "%", "%2", "%zz", "1.5=a"])
  func badElementIsNamed(element: String) throws {
    let error = try #require(throws: Mismatch.self) { try KeyPattern.list("good,\(element)") }
    #expect(error.part == element)
    #expect("\(error)".hasPrefix("\"\(element)\" "))
  }
}

@Suite struct CSVRecordTests {
  static let good: [(String, [String])] = [
    ("", []), ("\n", []), ("a", ["a"]), ("a,b", ["a", "b"]), ("a,,b,", ["a", "", "b", ""]),
    ("^(.*)_[^_]+$", ["^(.*)_[^_]+$"]), ("\"a,b\",c", ["a,b", "c"]), ("\"say \"\"hi\"\"\"", ["say \"hi\""]),
    ("\"a\r\nb\"\r\n", ["a\nb"]), (" a , b", [" a ", " b"]), ("a\n\n", ["a"]),
  ]

  @Test(arguments: good)
  func recordIsRead(text: String, fields: [String]) throws {
    #expect(try CSVRecord.parse(text) == fields)
  }

  @Test(arguments: ["a\"b", "\"a", "\"a\"b", "a\nb", " \"a\""])
  func badRecordIsRefused(text: String) {
    #expect(throws: Mismatch.self) { try CSVRecord.parse(text) }
  }
}
