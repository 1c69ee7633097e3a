import ArgumentParser
import Runtime
import TestSupport
import Testing

@testable import redline

/// What `redline top` prints of answers of `/api/v1/fleet`.
@Suite struct TopTextTests {
  private static let answer = #"""
    {"summary":"sessions is critical for 14 s: no master answers.","workloads":[
    {"name":"cache","state":"healthy","members":[
      {"instance":"cache-1","role":"master","state":"up","standing":"present","memoryUsedBytes":1048576,"memoryMaxBytes":4194304,"operationsPerSecond":1204.4,"clients":21},
      {"instance":"cache-2","role":"replica","state":"up","standing":"present","memoryUsedBytes":3145728,"memoryMaxBytes":4194304,"operationsPerSecond":3,"clients":2,"lagSeconds":0.25},
      {"instance":"cache-9","role":"replica","state":"connect","standing":"ghost"}]},
    {"name":"sessions","state":"critical","members":[
      {"instance":"sessions-1\u001b[2J","role":"master","state":"timeout","standing":"missing","memoryUsedBytes":5,"asOf":"1970-01-01T00:15:50Z"},
      {"instance":"sessions-2","role":"replica","state":"up","memoryUsedBytes":2048,"memoryMaxBytes":0,"operationsPerSecond":9,"clients":40,"lagSeconds":3}]}]}
    """#

  private func text(_ order: TopText.Order = .ops, rows: Int? = nil) throws -> String {
    var top = TopText(now: 1000)
    (top.order, top.rows) = (order, rows)
    return top.text(try JSONReader.value(Array(Self.answer.utf8)))
  }

  @Test func whatIsNotWellComesFirstAndItsFiguresAreNotCurrent() throws {
    #expect(
      try text() == """
        sessions is critical for 14 s: no master answers.
        5 servers, 1 not up, by ops

        SERVER         WORKLOAD     ROLE     STATE      OPS/S CLIENTS  MEMORY     LAG
        sessions-1\u{FFFD}[2J sessions     master   timeout        -       -       -       -
        cache-1        cache        master   up          1204      21    25 %       -
        sessions-2     sessions     replica  up             9      40 2.0 KiB   3.0 s
        cache-2        cache        replica  up             3       2    75 %  250 ms
        cache-9        cache        replica  connect        -       -       -       -

        """)
  }

  @Test(
    arguments: [
      (TopText.Order.clients, ["sessions-2", "cache-1", "cache-2", "cache-9"]),
      (.memory, ["cache-2", "cache-1", "cache-9", "sessions-2"]),
      (.lag, ["sessions-2", "cache-2", "cache-1", "cache-9"]),
      (.name, ["cache-1", "cache-2", "cache-9", "sessions-2"]),
    ])
  func theOrderIsAChoice(_ order: TopText.Order, _ names: [String]) throws {
    let lines = try text(order).split(separator: "\n").dropFirst(4).map { String($0.prefix { $0 != " " }) }
    #expect(lines == names)
  }

  @Test func aTerminalHasRoomForSoMany() throws {
    let text = try text(rows: 8)
    #expect(text.contains("cache-1") && !text.contains("cache-2") && text.contains("3 more servers are not shown"))
  }

  /// Of every subcommand that is for users.
  @Test func everySubcommandHasAnExample() {
    func look(_ commands: [any ParsableCommand.Type]) {
      for command in commands {
        let subject: CommandConfiguration = command.configuration
        guard subject.shouldDisplay else { continue }
        let name = subject.commandName ?? ""
        #expect(subject.discussion.contains("Example: redline "), "\(name)")
        look(subject.subcommands)
      }
    }
    look(Commands.configuration.subcommands)
  }
}
