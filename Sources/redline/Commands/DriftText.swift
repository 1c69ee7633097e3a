import Config
import Fleet
import Runtime

/// What differs from declared files, as it is printed.
struct DriftText {
  private struct Server {
    let workload: String
    let instance: String
    var settings: [DeclaredDrift.Setting]

    var differing: [DeclaredDrift.Setting] { settings.filter { $0.verdict == .differs } }
    var comparedCount: Int {
      settings.count { $0.verdict == .same || $0.verdict == .differs }
    }

    /// Settings by what is missing, each reason once.
    var unknown: [(reason: String, names: [String])] {
      var all: [(reason: String, names: [String])] = []
      for setting in settings {
        guard case .unknown(let reason) = setting.verdict else { continue }
        if let place = all.firstIndex(where: { $0.reason == reason }) {
          all[place].names.append(setting.name)
        } else {
          all.append((reason, [setting.name]))
        }
      }
      return all
    }

    /// `1 of 34 settings differs`
    var standing: String {
      let unknownCount = settings.count - comparedCount - exemptCount
      let noun = comparedCount == 1 ? "setting" : "settings"
      guard comparedCount > 0 else {
        return unknownCount > 0 ? "cannot be compared" : "nothing is compared"
      }
      let verdict =
        differing.isEmpty
        ? "\(comparedCount) \(noun) as declared"
        : "\(differing.count) of \(comparedCount) \(noun) \(differing.count == 1 ? "differs" : "differ")"
      return verdict + (unknownCount > 0 ? ", \(unknownCount) unknown" : "")
    }

    var exemptCount: Int { settings.count { if case .exempt = $0.verdict { true } else { false } } }
  }

  /// Names of settings that one line of what is unknown lists.
  private static let listed = 6

  private let results: [DriftResult]
  private let servers: [Server]

  init(_ results: [DriftResult]) {
    self.results = results
    var servers: [Server] = []
    for result in results {
      // Those of one server stand together.
      if let last = servers.last, last.workload == result.workload, last.instance == result.instance {
        servers[servers.count - 1].settings.append(result.setting)
      } else {
        servers.append(Server(workload: result.workload, instance: result.instance, settings: [result.setting]))
      }
    }
    self.servers = servers
  }

  private static func shown(_ value: String?) -> String { value.map { $0.isEmpty ? "\"\"" : $0 } ?? "none" }

  var plain: String {
    var lines: [String] = []
    var workload: String?
    let width = servers.map(\.instance.count).max() ?? 0
    for server in servers {
      if server.workload != workload { lines.append(server.workload) }
      workload = server.workload
      lines.append("  \(padded(server.instance, width))  \(server.standing)")
      lines += table(of: server.differing)
      for (reason, names) in server.unknown {
        let more = names.count > Self.listed ? " and \(names.count - Self.listed) more" : ""
        lines.append("    unknown: \(names.prefix(Self.listed).joined(separator: ", "))\(more): \(reason)")
      }
    }
    return (lines + remarks + [summary]).joined(separator: "\n") + "\n"
  }

  private func table(of settings: [DeclaredDrift.Setting]) -> [String] {
    let rows = settings.map {
      [$0.name, Self.shown($0.declared), $0.place.name, "runs with \(Self.shown($0.running))"]
    }
    let widths = (0..<3).map { column in min(40, rows.map { $0[column].count }.max() ?? 0) }
    return rows.map { row in
      "    " + row.enumerated().map { $0 < 3 ? padded($1, widths[$0]) : $1 }.joined(separator: "  ")
    }
  }

  var markdown: String {
    var lines = ["# What servers run with other than declared", ""]
    var workload: String?
    for server in servers {
      if server.workload != workload {
        if workload != nil { lines.append("") }
        lines += [
          "## \(server.workload)", "", "| server | setting | declared | where | runs with |", "|---|---|---|---|---|",
        ]
      }
      workload = server.workload
      let differing = server.differing.map {
        [server.instance, $0.name, Self.shown($0.declared), $0.place.name, Self.shown($0.running)]
      }
      let unknown = server.unknown.map { reason, names in
        [server.instance, "\(names.count) settings", "", "", "unknown: \(reason)"]
      }
      let rows = differing + unknown
      for row in rows.isEmpty ? [[server.instance, server.standing, "", "", ""]] : rows {
        lines.append("| \(row.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ")) |")
      }
    }
    return (lines + [""] + remarks.map { "- \($0)" } + (remarks.isEmpty ? [] : [""]) + [summary])
      .joined(separator: "\n") + "\n"
  }

  var json: String {
    var json = JSONWriter()
    json.object { json in
      json.key("results")
      json.lines { json in for result in results { result.write(to: &json) } }
    }
    json.verbatim("\n")
    return json.text
  }

  /// `not compared: requirepass (a secret), …`, each name once.
  private var remarks: [String] {
    var told: [String] = []
    for result in results {
      guard case .exempt(let reason) = result.setting.verdict else { continue }
      let text = "\(result.setting.name) (\(reason))"
      if !told.contains(text) { told.append(text) }
    }
    let more = told.count > 20 ? ", \(told.count - 20) more" : ""
    return told.isEmpty ? [] : ["not compared: \(told.prefix(20).joined(separator: ", "))\(more)"]
  }

  private var summary: String {
    let differing = servers.count { !$0.differing.isEmpty }
    let unknown = servers.count { $0.differing.isEmpty && !$0.unknown.isEmpty }
    let noun = servers.count == 1 ? "server" : "servers"
    return
      "\(servers.count) \(noun): \(servers.count - differing - unknown) as declared, \(differing) with differences, \(unknown) not fully known"
  }
}
