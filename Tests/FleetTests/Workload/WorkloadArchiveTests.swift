import Redis
import Testing

@testable import Fleet

@Suite struct WorkloadArchiveTests {
  @Test func failoverStatesSurviveAsText() {
    var state = FailoverTracker.State()
    state.lastNumber = 7
    state.lastFailoverSeconds = 1_795_480_336.25
    state.configEpoch = 3
    state.address = NodeAddress(host: "fd00::1", port: 6379)
    state.unconfirmed = [NodeAddress(host: "a b", port: 1), NodeAddress(host: "c", port: 2)]
    state.quorumDownSeconds = 5
    #expect(FailoverTracker.State(text: state.text) == state)
    #expect(FailoverTracker.State(text: FailoverTracker.State().text) == FailoverTracker.State())
  }

  @Test(arguments: ["", "\n\n", "number", "number x\nlast y\naddress 5", "epoch 99999999999999999999", "address 6379 "])
  func textThatIsDamagedReadsAsNothing(_ text: String) {
    #expect(FailoverTracker.State(text: text) == FailoverTracker.State())
  }

  @Test func clusterNodesSurviveAsText() {
    let node = ClusterFailoverTracker.Node(
      id: "abc", masterID: nil, configEpoch: 7, slots: [0...5, 9...9], wasFailing: true)
    #expect(ClusterFailoverTracker.Node(text: node.text) == node)
    #expect(ClusterFailoverTracker.Node(text: "abc - x ok") == nil)
    #expect(ClusterFailoverTracker.Node(text: "abc - 1 ok 5-1 16384-16384 x 3-4")?.slots == [3...4])
  }

  /// A workload that a reload replaces goes on counting where it was.
  @Test func statesAreKeptInMemoryWithoutAStore() {
    let archive = WorkloadArchive(workload: "w", store: nil)
    var state = archive.failovers()
    #expect(state.counts.values.allSatisfy { $0 == 0 })
    state.counts[.manual] = 2
    archive.keep(state, counting: [], atSeconds: 1)
    #expect(archive.failovers() == state)
    #expect(archive.count(.manual, inMemory: 2) == 2)
  }
}
