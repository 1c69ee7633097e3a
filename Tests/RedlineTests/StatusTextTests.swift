import Runtime
import TestSupport
import Testing

@testable import redline

/// What `redline status` prints of answers of `/api/v1/fleet`.
@Suite struct StatusTextTests {
  private static let sick = #"""
    {"summary":"sessions is critical for 14 s: no master answers. 1 of 2 workloads is healthy.","workloads":[
    {"name":"cache","state":"healthy","membersPresent":6,"membersExpected":6,"traffic":{"operationsPerSecond":1204,"hitRatio":0.93,"latencyP99Seconds":0.0012,"memoryUsedRatio":0.43,"evictionsPerSecond":0,"clients":21},"members":[],"findings":[],"unknown":[],"alerts":[]},
    {"name":"sessions","state":"critical","membersPresent":2,"membersExpected":3,"traffic":{},
    "members":[{"instance":"sessions-1","role":"master","state":"timeout","reason":"no answer in 2 s"},{"instance":"sessions-2","role":"replica","state":"up"}],
    "findings":[{"check":"node-down","severity":"warning","group":"health","text":"sessions-1 does not answer\u001b[2J","since":"1970-01-01T00:15:50Z"},
    {"check":"drift","severity":"warning","group":"posture","text":"settings differ","since":"1970-01-01T00:00:00Z"}],
    "unknown":[{"check":"backup-age","group":"health","reason":"no master answers"}],
    "alerts":[{"name":"RedisMastersMissing","severity":"critical","since":"1970-01-01T00:16:30Z","summary":"sessions has no master"}]}],
    "undelivered":[{"alertmanager":"http://am:9093"}]}
    """#

  private func data(_ text: String) throws -> JSONValue { try JSONReader.value(Array(text.utf8)) }

  @Test func theWorstComesFirstWithWhatIsFoundOfIt() throws {
    let text = StatusText(now: 1000).text(try data(Self.sick))
    #expect(
      text == """
        sessions is critical for 14 s: no master answers. 1 of 2 workloads is healthy.

        Alerts are not delivered to http://am:9093
        critical  sessions         2/3 up
          critical 10 s    RedisMastersMissing: sessions has no master
          unknown          backup-age: no master answers
          warning  50 s    sessions-1 does not answer\u{FFFD}[2J
          master sessions-1 timeout: no answer in 2 s
        healthy   cache            6/6 up  1204/s  hit 93 %  p99 1.2 ms  mem 43 %  21 c…

        """)
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }

  @Test func coloursAreForTerminals() throws {
    var paint = Paint()
    paint.hasColours = true
    let text = StatusText(now: 1000, paint: paint).text(try data(Self.sick))
    #expect(
      text.contains("\u{1B}[1;31mcritical \u{1B}[0m sessions") && text.contains("\u{1B}[32mhealthy  \u{1B}[0m cache"))
    #expect(!StatusText(now: 1000).text(try data(Self.sick)).contains("\u{1B}"))
  }

  @Test(
    arguments: [
      ("healthy", 0), ("degraded", 1), ("critical", 2), ("unknown", 3), ("of another version", 3),
    ] as [(String, Int32)])
  func exitStatusOfTheWorst(state: String, status: Int32) throws {
    let data = try data(#"{"workloads":[{"name":"a","state":"healthy"},{"name":"b","state":"\#(state)"}]}"#)
    #expect(StatusText.exitStatus(data) == status)
  }

  @Test func nothingIsWatched() throws {
    let data = try data(#"{"summary":"No workload is watched.","workloads":[]}"#)
    #expect(StatusText.exitStatus(data) == 3 && StatusText(now: 0).text(data) == "No workload is watched.\n\n")
  }
}

@Suite struct CommandLineTests {
  @Test(arguments: [
    ("statsu", "redline: \"statsu\" is no subcommand: did you mean status?"),
    ("chek", "redline: \"chek\" is no subcommand: did you mean check?"),
    ("redis://h", "redline: \"redis://h\" is no subcommand: redline --help lists them"),
    ("\u{1B}[2J", "redline: \"\\u{1b}[2J\" is no subcommand: redline --help lists them"),
  ])
  func aWordThatIsNoSubcommand(word: String, complaint: String) {
    #expect(Commands.complaint(about: word) == complaint)
  }

  @Test(arguments: ["status", "check", "check-config", "help", "--generate-completion-script"])
  func wordsThatAre(word: String) { #expect(Commands.complaint(about: word) == nil) }
}
