import Redis
import Runtime

extension CulpritRule {
  /// The server itself: gone, hung, loading, paused, busy with a script.
  static let ofServers: [CulpritRule] = [
    .node("gone") { node, _ in
      guard let silence = node.silence, silence.errorClass == .connect else { return [] }
      let since = silence.lastAnswer.map { " since \(EvidenceText.clock($0))" } ?? ""
      return [
        culprit(
          "gone", node, weight: node.isMaster ? 100 : 70,
          "\(named(node)) takes no connection\(since): its process or its machine is gone", restsOn: "its port")
      ]
    },
    .node("hung") { node, _ in
      guard let silence = node.silence, [.timeout, .closed].contains(silence.errorClass) else { return [] }
      let since = silence.lastAnswer.map { " since \(EvidenceText.clock($0))" } ?? ""
      return [
        culprit(
          "hung", node, weight: node.isMaster ? 90 : 62,
          "\(named(node)) has not answered\(since): it hangs, or a command holds its event loop", restsOn: "its silence"
        )
      ]
    },
    .node("busy") { node, _ in
      guard node.silence?.errorClass == .busy else { return [] }
      return [
        culprit(
          "busy", node, weight: 93,
          "a script or function holds \(named(node)): SCRIPT KILL or FUNCTION KILL ends one that has not written",
          restsOn: "its answer BUSY")
      ]
    },
    .node("loading") { node, _ in
      let isLoading = node.silence?.errorClass == .loading || node.numbers["loading"] == 1
      guard isLoading else { return [] }
      let rest = node.numbers["loading_eta_seconds"].map { ", \(span($0)) to go" } ?? ""
      return [
        culprit("loading", node, weight: 82, "\(named(node)) loads its data\(rest)", restsOn: "its answer LOADING")
      ]
    },
    .node("paused") { node, _ in
      guard node.words["paused_reason"] == "client_pause" else { return [] }
      let what = node.words["paused_actions"] == "write" ? "writes" : "all commands"
      let rest = node.numbers["paused_timeout_milliseconds"].map { ", for \(span($0 / 1000)) more" } ?? ""
      return [
        culprit("paused", node, weight: 94, "CLIENT PAUSE holds \(what) on \(named(node))\(rest)", restsOn: "INFO")
      ]
    },
    .node("slow-command") { node, scene in
      struct Group: Hashable {
        let command: String
        let client: ClientOrigin?
      }
      let near = node.slow.filter { scene.isNear($0.ended) }
      return Dictionary(grouping: near) { Group(command: $0.shape.name, client: $0.client) }.compactMap {
        group, calls in
        let total = calls.reduce(0) { $0 + $1.seconds }
        guard let longest = calls.max(by: { $0.seconds < $1.seconds }), longest.seconds >= 0.1 || total >= 2 else {
          return nil
        }
        let who = group.client.map { " from \($0.place)" } ?? ""
        let prefix = longest.shape.prefix.map { " on keys \($0)…" } ?? ""
        let times = calls.count == 1 ? "" : " in \(calls.count) calls, the longest"
        let took = calls.count == 1 ? EvidenceText.duration(longest.seconds) : EvidenceText.duration(total)
        let last = calls.count == 1 ? "" : " \(EvidenceText.duration(longest.seconds))"
        return culprit(
          "slow-command", node, key: "\(group.command) \(group.client?.place ?? "")",
          weight: longest.seconds >= 1 ? 92 : longest.seconds >= 0.25 || total >= 2 ? 80 : 58,
          "\(longest.shape.title)\(prefix)\(who) took \(took)\(times)\(last) at \(EvidenceText.clock(longest.ended)), "
            + scene.distance(longest.ended),
          restsOn: "slow log of \(node.instance)")
      }
    },
    .node("latency-event") { node, scene in
      // Commands are in the slow log, and forks and fsyncs have rules of their own.
      node.latency.filter { event in
        !["command", "fast-command", "fork"].contains(event.name) && !event.name.hasPrefix("aof-")
          && event.seconds >= 0.1 && scene.isNear(event.at)
      }.map { event in
        culprit(
          "latency-event", node, key: event.name, weight: 50,
          "\(event.name) held \(named(node)) for \(EvidenceText.duration(event.seconds)) at \(EvidenceText.clock(event.at)), "
            + scene.distance(event.at),
          restsOn: "LATENCY of \(node.instance)")
      }
    },
    .node("machine") { node, _ in
      guard let host = node.host else { return [] }
      var found: [Evidence.Culprit] = []
      if let swapped = host.swappedBytes, swapped >= Double(64 << 20) {
        found.append(
          culprit(
            "machine", node, key: "swap", weight: 56,
            "\(EvidenceText.bytes(swapped)) of \(named(node)) are swapped out", restsOn: "/proc"))
      }
      for (name, share) in host.pressure where share >= 25 {
        found.append(
          culprit(
            "machine", node, key: name, weight: 40,
            "in \(Int(clamping: share)) % of the last 10 s something on the machine of \(named(node)) waited for \(name)",
            restsOn: "/proc/pressure"))
      }
      return found
    },
  ]

  static func named(_ node: NodeFacts) -> String { node.isMaster ? "\(node.instance) (master)" : node.instance }

  static func culprit(
    _ rule: String, _ node: NodeFacts, key: String = "", weight: Int, _ text: String, restsOn: String
  ) -> Evidence.Culprit {
    Evidence.Culprit(
      rule, key: key.isEmpty ? node.instance : "\(key) \(node.instance)", weight: weight, text, restsOn: restsOn)
  }
}
