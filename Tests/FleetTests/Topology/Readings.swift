import Redis
import TestSupport

@testable import Fleet

/// Readings of servers that exist in a test's mind only.
enum Readings {
  static func address(_ port: Int, _ host: String = "10.0.0.1") -> NodeAddress { NodeAddress(host: host, port: port) }

  static func facts(_ lines: String, nodes: String? = nil, settings: [String: String] = [:]) -> MemberFacts {
    let info = InfoText(bytes: Array(lines.replacing("\n", with: "\r\n").utf8))
    var facts = MemberFacts(info, config: config(settings), replies: [], server: ServerFacts(info), now: 1000)
    facts.cluster = nodes.map { ClusterNodes(Array($0.utf8)[...]) }
    return facts
  }

  private static func config(_ settings: [String: String]) -> ServerConfig? {
    guard !settings.isEmpty else { return nil }
    let words = settings.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
    let reply = "*\(words.count)\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
    return (try? Replies.read(Array(reply.utf8))).flatMap { ServerConfig($0[0]) }
  }

  /// A master with replicas at the ports.
  static func master(_ port: Int, runID: String? = nil, replicas: [Int], host: String = "10.0.0.1") -> MemberReading {
    let list = replicas.enumerated().map { "slave\($0.0):ip=10.0.0.1,port=\($0.1),state=online,offset=5,lag=0\n" }
    return up(
      address(port, host), "role:master\nrun_id:\(runID ?? "run\(port)")\nmaster_repl_offset:5\n" + list.joined())
  }

  static func replica(_ port: Int, of master: Int, runID: String? = nil, host: String = "10.0.0.1") -> MemberReading {
    up(
      address(port, host),
      """
      role:slave
      run_id:\(runID ?? "run\(port)")
      master_host:10.0.0.1
      master_port:\(master)
      master_link_status:up
      slave_priority:100

      """)
  }

  static func up(_ address: NodeAddress, _ lines: String) -> MemberReading {
    MemberReading(address, answers: true, facts: facts(lines), began: 1)
  }

  static func down(_ port: Int) -> MemberReading {
    MemberReading(address(port), answers: false, facts: nil, began: 1)
  }
}
