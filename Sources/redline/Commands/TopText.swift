import Runtime
import Web

/// The servers of a fleet, as `redline top` prints them: made of the answer of `/api/v1/fleet`.
struct TopText {
  enum Order: String, CaseIterable {
    case ops, clients, memory, lag, name
  }

  var order = Order.ops
  /// Of the terminal; nil for as many as there are.
  var rows: Int?
  private let page: TerminalText
  private let now: WallTime

  init(now: WallTime, paint: Paint = Paint(), columns: Int = 80) {
    self.now = now
    page = TerminalText(paint: paint, columns: columns)
  }

  private struct Server {
    let name: String
    let workload: String
    let role: String
    let state: String
    /// One that the workload does without counts as well.
    let isWell: Bool
    let numbers: JSONValue

    func number(_ name: String) -> Double? { numbers[name]?.number }

    /// Share of maxmemory, or bytes where there is no limit.
    var memory: (ratio: Double?, bytes: Double?) {
      let (used, limit) = (number("memoryUsedBytes"), number("memoryMaxBytes") ?? 0)
      return (used.flatMap { limit > 0 ? $0 / limit : nil }, used)
    }
  }

  /// - Parameter data: the answer's `data`.
  func text(_ data: JSONValue) -> String {
    let servers = StatusText.workloads(data).flatMap { workload in
      (workload["members"]?.elements ?? []).map { member in
        let (state, standing) = (member["state"]?.string ?? "unknown", member["standing"]?.string)
        return Server(
          name: member["instance"]?.string ?? "?", workload: workload["name"]?.string ?? "?",
          role: member["role"]?.string ?? "", state: state, isWell: state == "up" || standing == "ghost",
          numbers: member)
      }
    }.sorted(by: comesFirst)
    let sick = servers.count { !$0.isWell }
    let wide = servers.map(\.name.count).max() ?? 0
    let nameWidth = min(max(12, wide), max(12, page.columns - 64))
    var lines = data["summary"]?.string.map { page.wrapped($0) } ?? []
    lines.append(
      "\(servers.count) \(servers.count == 1 ? "server" : "servers"), \(sick == 0 ? "all are up" : "\(sick) not up"), by \(order.rawValue)"
    )
    lines.append("")
    lines.append(
      page.cut(
        line([
          ("SERVER", nameWidth), ("WORKLOAD", 12), ("ROLE", 8), ("STATE", 8), ("OPS/S", -7), ("CLIENTS", -7),
          ("MEMORY", -7), ("LAG", -7),
        ])))
    let room = rows.map { max(1, $0 - lines.count - 2) } ?? servers.count
    lines += servers.prefix(room).map { row($0, nameWidth) }
    if servers.count > room { lines.append("\(servers.count - room) more servers are not shown") }
    return lines.joined(separator: "\n") + "\n"
  }

  private func comesFirst(_ one: Server, _ other: Server) -> Bool {
    if one.isWell != other.isWell { return !one.isWell }
    func key(_ server: Server) -> Double {
      switch order {
      case .ops: server.number("operationsPerSecond") ?? -1
      case .clients: server.number("clients") ?? -1
      case .memory: server.memory.ratio ?? -1
      case .lag: server.number("lagSeconds") ?? -1
      case .name: 0
      }
    }
    let (left, right) = (key(one), key(other))
    return left == right ? (one.workload, one.name) < (other.workload, other.name) : left > right
  }

  private func row(_ server: Server, _ nameWidth: Int) -> String {
    func words(_ name: String, _ unit: TimeSeries.Unit) -> String { server.number(name).map { unit.words($0) } ?? "-" }
    let memory = server.memory
    let rate = server.number("operationsPerSecond").map { TimeSeries.Unit.count.words($0.rounded()) } ?? "-"
    // Of what does not answer, figures would be of before.
    let isOld = server.numbers["asOf"] != nil || !server.isWell
    let figures = [
      rate, words("clients", .count),
      memory.ratio.map { TimeSeries.Unit.ratio.words($0) } ?? memory.bytes.map { TimeSeries.Unit.bytes.words($0) }
        ?? "-",
      words("lagSeconds", .seconds),
    ].map { isOld ? "-" : $0 }
    let text = page.cut(
      line([
        (server.name, nameWidth), (server.workload, 12), (server.role, 8), (server.state, 8), (figures[0], -7),
        (figures[1], -7), (figures[2], -7), (figures[3], -7),
      ]))
    return server.isWell ? text : page.paint.level(text, "critical")
  }

  /// Texts in columns: a width below 0 puts a text to the right of its column.
  private func line(_ cells: [(text: String, width: Int)]) -> String {
    cells.map { text, width in
      let shown = oneLine(text)
      let cut = shown.count > abs(width) ? shown.prefix(abs(width) - 1) + "…" : shown
      let gap = String(repeating: " ", count: abs(width) - cut.count)
      return width > 0 ? cut + gap : gap + cut
    }.joined(separator: " ")
  }
}
