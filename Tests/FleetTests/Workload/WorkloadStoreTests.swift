import Glibc
import Redis
import Storage
import TestSupport
import Testing

@testable import Fleet

@Suite struct WorkloadStoreTests {
  @Test func failoverStatesSurviveAsText() {
    var state = SentinelFailoverTracker.State()
    state.lastNumber = 7
    state.lastFailover = 1_795_480_336.25
    state.configEpoch = 3
    state.address = NodeAddress(host: "fd00::1", port: 6379)
    state.unconfirmed = [NodeAddress(host: "a b", port: 1), NodeAddress(host: "c", port: 2)]
    state.quorumDown = 5
    #expect(SentinelFailoverTracker.State(text: state.text) == state)
    #expect(
      SentinelFailoverTracker.State(text: SentinelFailoverTracker.State().text) == SentinelFailoverTracker.State())
  }

  @Test(arguments: ["", "\n\n", "number", "number x\nlast y\naddress 5", "epoch 99999999999999999999", "address 6379 "])
  func textThatIsDamagedReadsAsNothing(_ text: String) {
    #expect(SentinelFailoverTracker.State(text: text) == SentinelFailoverTracker.State())
  }

  @Test func clusterNodesSurviveAsText() {
    let node = ClusterFailoverTracker.Node(
      id: "abc", masterID: nil, configEpoch: 7, slots: [0...5, 9...9], wasFailing: true)
    #expect(ClusterFailoverTracker.Node(text: node.text) == node)
    #expect(ClusterFailoverTracker.Node(text: "abc - x ok") == nil)
    #expect(ClusterFailoverTracker.Node(text: "abc - 1 ok 5-1 16384-16384 x 3-4")?.slots == [3...4])
  }

  /// A workload that a reload replaces goes on counting where it was.
  @Test func statesAreKeptInMemoryWithoutAFile() {
    let store = WorkloadStore(workload: "w", file: nil)
    var state: SentinelFailoverTracker.State = store.failovers.state()
    #expect(state.counts == [.automatic: 0, .manual: 0, .aborted: 0, .missed: 0])
    store.begin(state)
    state.counts[.manual] = 2
    store.keep(state, counting: [], at: 1)
    #expect(store.failovers.state() == state)
    #expect(store.count(.manual, inMemory: 2) == 2)
  }

  /// What each topology keeps is read back, and what it keeps no more is gone.
  @Test func statesAreKeptInAFile() async throws {
    let path = "/tmp/redline-workload-store-\(UInt64.random(in: 0...UInt64.max)).db"
    defer { for suffix in ["", "-wal", "-shm", ".lock"] { _ = unsafe unlink(path + suffix) } }
    let file = try await Store.open(path) { _ in }
    let sentinel = WorkloadStore(workload: "s", file: file)
    var watched: SentinelFailoverTracker.State = sentinel.failovers.state()
    sentinel.begin(watched)
    (watched.configEpoch, watched.address, watched.counts[.missed]) = (3, Readings.address(1), 1)
    let event = Event(at: 5, workload: "s", kind: .failover, summary: "missed failover")
    sentinel.keep(watched, counting: [(.missed, event)], at: 5)

    let cluster = WorkloadStore(workload: "c", file: file)
    var nodes: ClusterFailoverTracker.State = cluster.failovers.state()
    cluster.begin(nodes)
    for ids in [["a", "b"], ["b"]] {
      nodes.nodes = ids.map { .init(id: $0, masterID: nil, configEpoch: 1, slots: [0...5], wasFailing: false) }
      cluster.keep(nodes, counting: [], at: 6)
    }
    let facts = file.change { $0.facts }.mapValues(\.value)
    #expect(facts["workload/s/failover"]?.contains("epoch 3") == true, "as files always had it")
    #expect(facts["workload/c/cluster/node/b"] == "b - 1 ok 0-5" && facts["workload/c/cluster/node/a"] == nil)
    #expect(WorkloadStore(workload: "s", file: file).failovers.state() == watched)
    #expect(WorkloadStore(workload: "c", file: file).failovers.state() == nodes)
    await file.close()
  }
}
