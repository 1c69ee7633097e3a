import Config
import TestSupport
import Testing

@testable import Fleet

@Suite(.timeLimit(.minutes(1))) struct ConfFileTests {
  // MARK: Words

  @Test(
    arguments: [
      ("", []), ("  \t ", []), ("save 900 1", ["save", "900", "1"]), ("a\tb\u{B}c", ["a", "b\u{B}c"]),
      ("save \"\"", ["save", ""]), ("a ''", ["a", ""]),
      (#"a "b c" 'd e'"#, ["a", "b c", "d e"]), (#"a "\x41\x4a\n\t\"\\\q""#, ["a", "AJ\n\t\"\\q"]),
      (#"a "\xZZ""#, ["a", "xZZ"]), (#"a "\x4""#, ["a", "x4"]),
      (#"a 'it\'s \n'"#, ["a", #"it's \n"#]), (#"a b"c d""#, ["a", "bc d"]), (#"a b'c d'"#, ["a", "bc d"]),
      ("a \"'\" '\"'", ["a", "'", "\""]), ("a \\n", ["a", "\\n"]), ("a b#c # d", ["a", "b#c", "#", "d"]),
    ] as [(String, [String])])
  func splitsAsRedisDoes(line: String, words: [String]) {
    #expect(ConfWords.split(Array(line.utf8)[...]) == words.map { Array($0.utf8) })
  }

  @Test(arguments: [#"a "b"#, "a 'b", #"a "b"c"#, "a 'b'c", #"a "b\"#, #"a "b\""#, #"a ""b"#])
  func refusesQuotesThatDoNotMatch(line: String) {
    #expect(ConfWords.split(Array(line.utf8)[...]) == nil)
  }

  // MARK: Files

  private func lines(_ file: ConfFile) -> [String] {
    file.directives.map { directive in
      "\(directive.place.name) \(directive.name) \(directive.arguments.map { String(decoding: $0, as: UTF8.self) })"
    }
  }

  @Test func leavesOutWhatIsNoDirective() throws {
    let folder = ConfFolder(["redis.conf": "# a remark\n\n \t\r\n  MaxMemory\t1gb \r\n   # another\n'' x\n#port 1"])
    #expect(throws: ConfigErrors.self) { try ConfFile(folder.file("redis.conf")) }
    folder.write("redis.conf", Array("# a remark\n\n \t\r\n  MaxMemory\t1gb \r\n   # another\n#port 1".utf8))
    #expect(try lines(ConfFile(folder.file("redis.conf"))) == [#"redis.conf:4 maxmemory ["1gb"]"#])
  }

  @Test func includesStandInTheirPlace() throws {
    let folder = ConfFolder([
      "redis.conf": "port 1\ninclude b.conf\nport 4\ninclude conf.d/*.conf\ninclude nowhere/*.conf\nport 7\n",
      "b.conf": "port 2\ninclude c.conf\n", "c.conf": "port 3", "conf.d/1.conf": "port 5\n",
      "conf.d/2.conf": "\nport 6\n",
    ])
    let file = try ConfFile(folder.file("redis.conf"))
    #expect(
      lines(file) == [
        #"redis.conf:1 port ["1"]"#, #"b.conf:1 port ["2"]"#, #"c.conf:1 port ["3"]"#, #"redis.conf:3 port ["4"]"#,
        #"1.conf:1 port ["5"]"#, #"2.conf:2 port ["6"]"#, #"redis.conf:6 port ["7"]"#,
      ])
    #expect(
      file.paths == ["redis.conf", "b.conf", "c.conf", "conf.d/1.conf", "conf.d/2.conf"].map(folder.file))
    #expect(file.patterns == ["conf.d/*.conf", "nowhere/*.conf"].map(folder.file))
  }

  /// Redis reads all files of one pattern as one text.
  @Test func aLineWithoutAnEndGoesOnInTheNextFile() throws {
    let folder = ConfFolder([
      "redis.conf": "include d/*.conf\n", "d/1.conf": "hz 5\nmaxmemory 1", "d/2.conf": "gb\nport 2\n",
      "d/3.conf": "port 3",
    ])
    #expect(
      try lines(ConfFile(folder.file("redis.conf"))) == [
        #"1.conf:1 hz ["5"]"#, #"1.conf:2 maxmemory ["1gb"]"#, #"2.conf:2 port ["2"]"#, #"3.conf:1 port ["3"]"#,
      ])
  }

  /// `dir` is where the server works from then on.
  @Test func relativePathsFollowDir() throws {
    let folder = ConfFolder(["redis.conf": "dir data\ninclude a.conf\ndir ..\ninclude b.conf\n"])
    folder.write("data/a.conf", Array("port 1\n".utf8))
    folder.write("b.conf", Array("port 2\n".utf8))
    #expect(
      try lines(ConfFile(folder.file("redis.conf"))).filter { $0.contains("port") } == [
        #"a.conf:1 port ["1"]"#, #"b.conf:1 port ["2"]"#,
      ])
  }

  @Test func errorsNameThePlaceAndNotTheValue() throws {
    let folder = ConfFolder([
      "redis.conf": """
      requirepass "hunter2
      s3cret=hunter2
      include missing.conf
      include
      include other.conf
      """,
      "other.conf": "\nuser a >hunter2\"",
    ])
    let error = try #require(throws: ConfigErrors.self) { try ConfFile(folder.file("redis.conf")) }
    let text = error.description.replacing("\(folder.path)/", with: "")
    #expect(
      text == """
        redis.conf:1:1: requirepass: has quotes that do not match; close each quote, with a blank behind it, and write \\" for \
        one that is meant
        redis.conf:2:1: begins with no directive; a line is a directive, its value, and nothing else
        redis.conf:3:1: include: "missing.conf" cannot be read: No such file or directory; lay it there, or name it by a \
        pattern, which may match nothing, such as missing.con[f]
        redis.conf:4:1: include: has not one value but 0; name one file
        other.conf:2:1: user: has quotes that do not match; close each quote, with a blank behind it, and write \\" for one \
        that is meant
        """)
  }

  @Test func bounds() throws {
    let folder = ConfFolder(["redis.conf": "include redis.conf\n", "zero.conf": "port 1\nport \u{0}2\n"])
    var error = try #require(throws: ConfigErrors.self) { try ConfFile(folder.file("redis.conf")) }
    #expect(error.description.hasSuffix("include: goes 16 files deep; does a file include itself?"))
    error = try #require(throws: ConfigErrors.self) { try ConfFile(folder.file("zero.conf")) }
    #expect(error.description.hasSuffix(":2:1: holds a zero byte; is it a text file?"))
    folder.write("many.conf", Array(String(repeating: "include one.conf\n", count: 300).utf8))
    folder.write("one.conf", Array("port 1\n".utf8))
    error = try #require(throws: ConfigErrors.self) { try ConfFile(folder.file("many.conf")) }
    #expect(error.errors[0].problem == "brings more than 256 files")
    #expect(error.errors.count <= 50)
    folder.write("large.conf", [UInt8](repeating: UInt8(ascii: "#"), count: ConfFile.fileBytes + 1))
    #expect(throws: ConfigErrors.self) { try ConfFile(folder.file("large.conf")) }
    folder.write("full.conf", [UInt8](repeating: UInt8(ascii: "#"), count: ConfFile.fileBytes))
    #expect(try ConfFile(folder.file("full.conf")).directives.isEmpty)
    folder.write("five.conf", Array(String(repeating: "include full.conf\n", count: 5).utf8))
    error = try #require(throws: ConfigErrors.self) { try ConfFile(folder.file("five.conf")) }
    #expect(error.errors[0].problem == "makes more than 4 MiB of all files together")
  }

  /// Whatever stands in a file, it is read or refused.
  @Test func mutatedTextNeverTraps() throws {
    var random = FixedRandom(state: 17)
    let seed = Array(
      """
      include a.conf
      maxmemory 64mb
      save 900 1 300 10
      client-output-buffer-limit replica 256mb 64mb 60
      notify-keyspace-events "Ex"
      latency-tracking-info-percentiles 50 99.9
      rename-command FLUSHALL ""
      user alice on >secret ~* +@all
      requirepass "a b"
      bind 127.0.0.1 -::1
      oom-score-adj-values 0 200 800
      unixsocketperm 700
      sentinel monitor m 127.0.0.1 6379 2
      sentinel down-after-milliseconds m 5000

      """.utf8)
    let tokens = [
      "\"", "'", "\\x", "\\", "\n", " ", "99999999999999999999", "-1", "", "gb", "%", "\u{0}", "1e309",
      "include a.conf\n",
    ]
    let folder = ConfFolder()
    for _ in 0..<share(400, full: 20_000) {
      let text = mutated(seed, tokens: tokens, using: &random)
      folder.write("redis.conf", text)
      folder.write("a.conf", Array("port 1".utf8))
      do throws(ConfigErrors) {
        let file = try ConfFile(folder.file("redis.conf"))
        _ = try? DeclaredSentinel(file, path: "s", masterName: "m")
        let settings = try DeclaredSettings(file)
        let answers = Dictionary(settings.settings.map { ($0.names[0], $0.written) }, uniquingKeysWith: { $1 })
        _ = settings.drift(
          answers: .known(answers), asked: Set(settings.names), told: [:], commands: .unknown("why")
        ).text(of: "redis.conf")
      } catch { #expect(!error.errors.isEmpty) }
    }
  }
}
