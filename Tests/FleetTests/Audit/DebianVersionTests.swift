import Testing

@testable import Fleet

@Suite(.timeLimit(.minutes(1))) struct DebianVersionTests {
  /// An end-to-end check holds the file against dpkg itself.
  @Test func sortsAsDpkgDoes() throws {
    let text = try #require(Fixture.text("versions.tsv"))
    let rows = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { $0.split(separator: "\t") }
    #expect(rows.count > 200)
    for row in rows {
      let (a, b) = (try #require(DebianVersion(String(row[0]))), try #require(DebianVersion(String(row[2]))))
      let sign = a < b ? "<" : a == b ? "=" : ">"
      #expect(sign == row[1], "\(row)")
      #expect((b > a) == (a < b) && (b == a) == (a == b), "\(row)")
    }
  }

  @Test(arguments: [
    "", "x1", "1:", ":1", "a:1", "1.0-", "1.0 1", "1.0-1_2", "1234567890:1", String(repeating: "1", count: 129),
  ])
  func refusesWhatIsNone(text: String) { #expect(DebianVersion(text) == nil) }

  @Test func knowsTheProgram() {
    #expect(DebianVersion("5:7.0.15-1~deb12u10")?.program == Version(7, 0, 15))
    #expect(DebianVersion("8.1.1+dfsg1-3")?.program == Version(8, 1, 1))
  }
}
