import Glibc
import Runtime
import TestSupport
import Testing

@testable import Drills

@Suite struct PrivateFolderTests {
  @Test func itIsItsOwnersAloneAndGoneAtTheEnd() async throws {
    let parent = TemporaryFolder()
    let path = try await PrivateFolder.use(below: parent.path) { folder in
      let look = ChildCommand(["stat", "-c", "%a %u", folder.path], timeLimit: .seconds(5))
      let told = try await look.run().output
      #expect(told == "700 \(geteuid())\n")
      let fill = ChildCommand(shell: "mkdir -p a/b && echo x >a/b/c && chmod 500 a", timeLimit: .seconds(5))
      var command = fill
      command.folder = folder.path
      let isFilled = try await command.run().isSuccess
      #expect(isFilled)
      return folder.path
    }
    #expect(path.hasPrefix("\(parent.path)/redline."))
    #expect(SmallFile.size(path) == nil)
  }

  @Test func itIsGoneAfterAnError() async throws {
    struct Failure: Error {}
    let parent = TemporaryFolder()
    await #expect(throws: Failure.self) {
      try await PrivateFolder.use(below: parent.path) { _ in throw Failure() }
    }
    #expect(SmallFile.entryCount(ofDirectory: parent.path) == 0)
  }

  @Test func whereItCannotBeMadeIsNamed() async throws {
    await #expect {
      try await PrivateFolder.use(below: "/there/is/none") { _ in }
    } throws: {
      "\($0)".contains("/there/is/none")
    }
  }

  @Test func aProgramMayStillWriteIntoIt() async throws {
    let path = try await PrivateFolder.use(isUnprivileged: true) { folder in
      var command = ChildCommand(
        shell: "echo $$; while :; do mkdir -p d; echo x >d/$(date +%N) || exit; done", timeLimit: .seconds(20))
      (command.folder, command.isUnprivileged) = (folder.path, true)
      let outcome = try await command.run { child in
        await untilItPrints(child)
      }.outcome
      #expect(outcome.end == .killed)
      await expectGone(try #require(pid(outcome.output)))
      return folder.path
    }
    #expect(SmallFile.size(path) == nil)
  }
}
