import Redis
import Testing

@testable import Fleet

@Suite struct ForkHeadroomTests {
  private func headroom(_ lines: String) -> ForkHeadroom? {
    ForkHeadroom(InfoText(bytes: Array(lines.replacing("\n", with: "\r\n").utf8)))
  }

  private let machine = "used_memory_rss:300\ntotal_system_memory:1000\n"

  /// The largest copy counts, whoever made it; a server may grow up to its limit.
  @Test func theLastChildrenTellWhatTheNextOneNeeds() throws {
    #expect(headroom(machine + "rdb_last_cow_size:50\n")?.expectedBytes == 650)
    let three = machine + "rdb_last_cow_size:50\naof_last_cow_size:70\ncurrent_cow_size:20\n"
    #expect(headroom(three)?.expectedBytes == 630)
    #expect(headroom(machine + "rdb_last_cow_size:50\nmaxmemory:900\n")?.expectedBytes == 50)
    #expect(headroom(machine + "current_cow_peak:200\nmaxmemory:900\n")?.expectedBytes == -100)
    #expect(headroom(machine + "rdb_last_cow_size:50\nmaxmemory:100\n")?.expectedBytes == 650, "more than its limit")
  }

  @Test func whatIsNotKnownIsNotMadeUp() throws {
    let fresh = try #require(headroom(machine + "rdb_last_cow_size:0\n"))
    #expect(fresh.copiedBytes == nil && fresh.expectedBytes == nil && fresh.worstBytes == 400)
    #expect(headroom("used_memory_rss:300\n") == nil && headroom("total_system_memory:1000\n") == nil)
  }

  @Test(arguments: GoldenTests.servers)
  func realServersTell(_ server: String) throws {
    let headroom = try #require(ForkHeadroom(CapturedServer(folder: "servers/\(server)").infoText))
    #expect(headroom.systemBytes > headroom.residentBytes && headroom.residentBytes > 0)
  }
}
