import Redis
import Testing

@testable import Fleet

struct CrowdingTests {
  private func isCrowded(_ lines: String...) -> Bool {
    Crowding.isCrowded(InfoText(bytes: Array((["# Clients"] + lines).joined(separator: "\r\n").utf8)))
  }

  @Test(arguments: [("0", false), ("89", false), ("90", true), ("100", true), ("100000000000000000000", true)])
  func nineOfTenConnectionsAreTaken(connected: String, expected: Bool) {
    #expect(isCrowded("connected_clients:\(connected)", "maxclients:100") == expected)
  }

  @Test func theBusOfAClusterTakesConnectionsToo() {
    #expect(!isCrowded("connected_clients:60", "cluster_connections:10", "maxclients:100"))
    #expect(isCrowded("connected_clients:60", "cluster_connections:30", "maxclients:100"))
  }

  @Test func nothingIsSaidWithoutALimit() {
    #expect(!isCrowded("connected_clients:60"))
    #expect(!isCrowded("connected_clients:60", "maxclients:0"))
    #expect(!isCrowded("connected_clients:many", "maxclients:10"))
    #expect(!isCrowded())
  }
}
