import Testing

@testable import Redis

@Suite struct SnapshotReaderTests {
  private static let stream = Array("\n\n$5\r\nREDIS*1\r\n$4\r\nPING\r\n".utf8)

  @Test func theSnapshotIsCutOutHoweverItComes() throws {
    for size in 1...Self.stream.count {
      var (reader, file): (SnapshotReader, [UInt8]) = (SnapshotReader(), [])
      var rest = Self.stream[...]
      while !rest.isEmpty {
        file += try reader.take(rest.prefix(size))
        rest = rest.dropFirst(size)
      }
      #expect(file == Array("REDIS".utf8))
      #expect(reader.isComplete)
    }
  }

  @Test func whatIsNoneIsRefused() {
    func failure(_ text: String) -> SnapshotReader.Failure? {
      var reader = SnapshotReader()
      do throws(SnapshotReader.Failure) {
        _ = try reader.take(Array(text.utf8)[...])
        return nil
      } catch { return error }
    }
    #expect(failure("-NOPERM no\r\n") == .refused("NOPERM no"))
    #expect(failure("+OK\r\n") == .malformed)
    #expect(failure("$-1\r\n") == .malformed)
    #expect(failure("$0\r\n") == .malformed)
    #expect(failure(String(repeating: "x", count: 2000)) == .malformed)
    #expect(failure("\n\n") == nil)
  }
}
