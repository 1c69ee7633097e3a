import Glibc
import TestSupport
import Testing

@testable import Runtime

@Suite struct FileWorkTests {
  @Test func onlyRegularFilesAreRead() throws {
    let folder = TemporaryFolder()
    let descriptor = unsafe creat(folder.path + "/file", 0o600)
    _ = unsafe write(descriptor, "content", 7)
    close(descriptor)
    _ = unsafe mkfifo(folder.path + "/pipe", 0o600)
    #expect(try RegularFile.bytes(folder.path + "/file", limitBytes: 7) == Array("content".utf8))
    for (name, reason) in [
      ("pipe", "it is a FIFO, not a regular file"), ("", "it is a directory, not a regular file"),
      ("none", "No such file or directory"), ("file", "it is larger than 6 bytes"),
    ] {
      #expect(throws: FileProblem(reason: reason)) {
        try RegularFile.bytes("\(folder.path)/\(name)", limitBytes: 6)
      }
    }
    #expect(throws: FileProblem(reason: "it is a device, not a regular file")) {
      try RegularFile.bytes("/dev/zero", limitBytes: 6)
    }
    #expect(try !RegularFile.bytes("/proc/self/stat", limitBytes: 4096).isEmpty)
  }

  /// One that hangs is given up and refused from then on, the others are read; once it answers it is read again.
  @Test func whatHangsHoldsNobodyElse() async throws {
    let work = FileWork()
    let gate = Semaphore()
    let told = Lock([String?]())
    work.addListener { name, reason in told.withLock { $0.append(reason.map { "\(name) \($0)" }) } }
    func read(_ name: String, _ body: @escaping @Sendable () -> Int) async throws(FileProblem) -> Int {
      try await work.value(of: name, within: .milliseconds(200)) { () throws(FileProblem) in body() }
    }
    #expect(try await read("hung") { 1 } == 1)
    await #expect(throws: FileProblem.self) {
      try await read("hung") {
        gate.wait()
        return 2
      }
    }
    for number in 0..<100 { #expect(try await read("other-\(number % 50)") { number } == number) }
    await #expect(throws: FileProblem.self) { try await read("hung") { 3 } }
    #expect(work.records["hung"]?.failureCount == 2)
    gate.signal()
    var seen: Int?
    while seen == nil { seen = try? await read("hung") { 4 } }
    #expect(seen == 4)
    let news = told.withLock { $0 }
    #expect(news.count == 2 && news.first??.hasPrefix("hung ") == true && news.last == .some(nil))
  }
}
