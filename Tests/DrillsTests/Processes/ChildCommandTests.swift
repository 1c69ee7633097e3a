import Glibc
import Runtime
import TestSupport
import Testing

@testable import Drills

@Suite struct ChildCommandTests {
  private func child(_ line: String, _ change: (inout ChildCommand) -> Void = { _ in }) -> ChildCommand {
    var command = ChildCommand(shell: line, timeLimit: .seconds(20))
    change(&command)
    return command
  }

  @Test func aProgramSaysHowItEnded() async throws {
    #expect(try await child("exit 0").run().isSuccess)
    #expect(try await child("exit 7").run().end == .exited(7))
    #expect(try await child("kill -9 $$").run().end == .exited(137))
    let missing = try await ChildCommand(["/there/is/none"], timeLimit: .seconds(5)).run()
    #expect(missing.end == .exited(127))
    #expect("\(missing.end)" == "was not found")
    let homeless = try await child("echo here") { $0.folder = "/there/is/none" }.run()
    #expect(homeless.end == .exited(126))
    #expect(homeless.output.contains("/there/is/none"))
  }

  @Test func itsArgumentsAreNotReadByAShell() async throws {
    let outcome = try await ChildCommand(["printf", "%s|", "a b", "$HOME", "'; exit 3"], timeLimit: .seconds(5)).run()
    #expect(outcome.output == "a b|$HOME|'; exit 3|")
  }

  @Test func theEndOfWhatItPrintsIsKept() async throws {
    let outcome = try await child("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; echo last >&2") {
      $0.outputLimitBytes = 1000
    }.run()
    #expect(outcome.isSuccess)
    #expect(outcome.output.utf8.count == 1000)
    #expect(outcome.isOutputCut)
    #expect(outcome.output.hasSuffix("line 19999\nlast\n"))
  }

  @Test func oneThatTakesTooLongIsKilledWithAllThatItStarted() async throws {
    let folder = TemporaryFolder()
    var command = ChildCommand(
      shell: "sh -c 'trap \"\" TERM; echo $$ >\(folder.path)/inner; sleep 300; sleep 300' & echo $$; wait",
      timeLimit: .milliseconds(500))
    command.folder = folder.path
    let outcome = try await command.run()
    #expect(outcome.end == .timedOut)
    let inner = try #require(pid(SmallFile.text("\(folder.path)/inner")))
    let outer = try #require(pid(outcome.output))
    await expectGone(inner)
    await expectGone(outer)
  }

  @Test func whatItLeavesBehindIsKilledAtItsEnd() async throws {
    let outcome = try await child("sleep 300 & echo $!").run()
    #expect(outcome.isSuccess)
    await expectGone(try #require(pid(outcome.output)))
  }

  @Test func itIsAskedToEndAndThenKilled() async throws {
    let asked = try await child("trap 'echo asked; exit 3' TERM; echo up; while :; do sleep 0.05; done").run { child in
      await untilItPrints(child)
      await child.stop(grace: .seconds(10))
    }.outcome
    #expect(asked.end == .exited(3))
    #expect(asked.output == "up\nasked\n")
    let stubborn = try await child("trap '' TERM; echo $$; while :; do sleep 0.05; done").run { child in
      await untilItPrints(child)
      await child.stop(grace: .milliseconds(200))
    }.outcome
    #expect(stubborn.end == .killed)
    await expectGone(try #require(pid(stubborn.output)))
  }

  @Test func oneWhoseWatcherFailsIsKilled() async throws {
    struct Failure: Error {}
    let told = Lock("")
    await #expect(throws: Failure.self) {
      try await child("echo $$; sleep 300").run { child in
        await untilItPrints(child)
        told.withLock { $0 = child.output }
        throw Failure()
      }
    }
    await expectGone(try #require(pid(told.withLock { $0 })))
  }

  @Test func itHasASessionOfItsOwnAndStepsBack() async throws {
    let outcome = try await child("cut -d' ' -f5,6,19 /proc/self/stat; echo $PPID; pwd; ulimit -t") {
      ($0.niceness, $0.cpuLimitSeconds, $0.folder) = (7, 99, "/usr")
    }.run()
    let words = outcome.output.split(whereSeparator: \.isWhitespace).map(String.init)
    #expect(words.count == 6)
    // Its group and its session are those of the shell that leads them, and not ours.
    #expect(words[0] == words[1] && words[0] == words[3])
    #expect(words[1] != "\(getsid(0))")
    #expect(Array(words[2...2] + words[4...]) == ["7", "/usr", "99"])
  }

  @Test func itsEnvironmentIsWhatItNeeds() async throws {
    let all = try await child("echo $HOME-$SECRET") { $0.environment = ["SECRET": "x y"] }.run()
    #expect(all.output.hasSuffix("-x y\n") && !all.output.hasPrefix("-"))
    let little = try await child("echo $HOME-$SECRET") {
      ($0.environment, $0.inheritsEnvironment) = (["SECRET": "s"], false)
    }.run()
    #expect(little.output == "-s\n")
  }

  @Test func rootStepsDownForIt() async throws {
    let outcome = try await child("id -u; id -g; id -G") { $0.isUnprivileged = true }.run()
    #expect(outcome.output.split(separator: "\n")[0] == (geteuid() == 0 ? "65534" : "\(geteuid())"))
    if geteuid() == 0 { #expect(outcome.output == "65534\n65534\n65534\n") }
  }
}

/// The process id that a program printed.
func pid(_ text: String?) -> Int32? { text.flatMap { Int32($0.filter { !$0.isWhitespace }) } }

/// Waits until a process is gone; one that is dead and not yet collected counts as gone.
func expectGone(_ pid: Int32, sourceLocation: SourceLocation = #_sourceLocation) async {
  for _ in 0..<500 {
    let status = SmallFile.text("/proc/\(pid)/stat")
    guard let status, let name = status.lastIndex(of: ")"), !status[name...].hasPrefix(") Z") else { return }
    try? await Task.sleep(for: .milliseconds(10))
  }
  Issue.record("process \(pid) is still there", sourceLocation: sourceLocation)
}

/// Waits for the first output of a program, or for its end.
func untilItPrints(_ child: RunningChild) async {
  while child.output.isEmpty, child.ended == nil { try? await Task.sleep(for: .milliseconds(10)) }
}
