import Redis
import Runtime
import Testing

@testable import Drills

@Suite struct AckStoreTests {
  static func path() -> String { "\(PrivateFolder.defaultParent)/redline-ledger-\(CanaryKeys.newRun())" }

  @Test func aWriteCountsOnceItIsOnDisk() async throws {
    let path = Self.path()
    defer { try? Folder.remove(file: path) }
    let ledger = try AckStore(path, header: ["redline drill, run 0123abcd of carts"])
    let place = ledger.place(of: LedgerMaster(runID: "r1", address: "a:1"))
    #expect(ledger.place(of: LedgerMaster(runID: "r1", address: "a:1")) == place)
    ledger.note(Ack(writer: 2, number: 17, master: place, at: .now))
    #expect(ledger.acks.isEmpty)
    await ledger.flush()
    #expect(ledger.acks.map(\.number) == [17])
    let lines = try #require(SmallFile.text(path)).split(separator: "\n")
    #expect(lines[0] == "# redline drill, run 0123abcd of carts")
    #expect(lines[1] == "master 0 r1 a:1")
    let words = lines[2].split(separator: " ")
    #expect(words.count == 5 && words[0] == "ack" && words[1] == "2" && words[2] == "17" && words[4] == "0")
    let seconds = try #require(Double(String(words[3])))
    #expect(abs(seconds - WallTime.now.seconds) < 60)
  }

  @Test func aFileThatIsThereIsLeftAlone() async throws {
    let path = Self.path()
    defer { try? Folder.remove(file: path) }
    _ = try AckStore(path, header: [])
    #expect(throws: FileProblem.self) { try AckStore(path, header: []) }
    #expect(throws: FileProblem.self) { try AckStore("/nowhere/at/all", header: []) }
  }

  @Test func aDiskThatIsFullCountsNothing() async throws {
    let ledger = try? AckStore("/dev/full", header: ["x"])
    #expect(ledger == nil, "only a file of its own is written")
  }

  @Test func keysAreOfOneRun() {
    let keys = CanaryKeys(run: "0123abcd")
    #expect(keys.key(3, 42) == "redline:canary:0123abcd:3:42")
    #expect(keys.value(3, 42) == "0123abcd:3:42")
    #expect((0..<16384).contains(keys.slot(3, 42)))
    for _ in 0..<100 { #expect(CanaryKeys.newRun().count == 8) }
  }
}
