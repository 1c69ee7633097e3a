import Config
import Fleet

/// A runbook with its placeholders filled in, as far as they are known, for pages, terminals and the API alike.
///
/// Names come from labels, and labels from servers: each becomes one word of a shell or of PromQL, and one that no quotes
/// make harmless stays a placeholder.
struct RunbookText {
  /// Lines for as many servers are written out.
  static let serverLimit = 16

  private let target: RunbookTarget
  /// What is not filled in, in the order of the text.
  private(set) var open: [RunbookPlaceholder] = []
  /// The servers that its commands go to.
  private var reached: [RunbookServer] = []
  private(set) var lines: [String] = []

  init(_ text: String, for target: RunbookTarget) {
    self.target = target
    var fence: Language?
    var command: [Substring] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if let mark = line.firstRange(of: "```"), line[..<mark.lowerBound].allSatisfy(\.isWhitespace) {
        if fence == nil {
          fence = Language(rawValue: String(line[mark.upperBound...])) ?? .other
        } else {
          fence = nil
          // None of its commands is for this workload.
          if lines.last?.contains("```") ?? false {
            lines.removeLast()
            if lines.last?.isEmpty ?? false { lines.removeLast() }
            continue
          }
        }
        lines.append(String(line))
      } else if fence == .shell {
        command.append(line)
        if line.hasSuffix("\\") { continue }
        add(command.joined(separator: "\n"))
        command = []
      } else if let section = DegradedSection(rawValue: String(line)) {
        lines += section.text(for: target.workload).split(separator: "\n", omittingEmptySubsequences: false).map(
          String.init)
      } else {
        lines.append(filled(String(line), as: fence ?? .prose, server: nil))
      }
    }
  }

  /// What a placeholder stands in.
  private enum Language: String {
    case shell = "sh"
    case promql
    case other
    case prose
  }

  // MARK: Commands

  /// What a command is for, said in a comment at its end.
  private enum Condition: String, CaseIterable {
    case cluster = "in a cluster"
    case sentinel = "under Sentinel"
    case replication = "with plain replication"
    case cache = "for a cache"
    case session = "for sessions"
    case queue = "for queues"

    /// Nil where that is not known: a workload of any other kind may be used as one of them.
    func holds(for workload: WorkloadConfig) -> Bool? {
      switch self {
      case .cluster: workload.topology == .cluster
      case .sentinel: workload.topology == .sentinel
      case .replication: workload.topology == .replication
      case .cache: workload.kind == .custom ? nil : workload.kind == .cache
      case .session: workload.kind == .custom ? nil : workload.kind == .session
      case .queue: workload.kind == .custom ? nil : workload.kind == .queue
      }
    }
  }

  /// A command of a block; once for each server where it is for several, and not at all where it is for another kind of
  /// workload.
  private mutating func add(_ text: String) {
    var text = text
    for condition in Condition.allCases {
      guard let range = text.firstRange(of: "# {\(condition.rawValue)}") else { continue }
      switch target.workload.flatMap(condition.holds) {
      case nil: text.replaceSubrange(range, with: "# \(condition.rawValue)")
      case false?: return
      case true?:
        text.removeSubrange(range)
        while text.last == " " { text.removeLast() }
      }
    }
    let several = pieces(text).lazy.compactMap { piece -> RunbookPlaceholder? in
      guard case .placeholder(let placeholder, _, _) = piece, placeholder.kind == .servers else { return nil }
      return placeholder
    }.first
    guard let several, case .servers(let servers) = target.value(of: several) else {
      return lines.append(filled(text, as: .shell, server: nil))
    }
    for server in servers.prefix(Self.serverLimit) { lines.append(filled(text, as: .shell, server: server)) }
    if servers.count > Self.serverLimit {
      lines.append("# and so on: \(servers.count - Self.serverLimit) further servers")
    }
  }

  // MARK: Placeholders

  private enum Piece {
    case text(Substring)
    case placeholder(RunbookPlaceholder, part: Part, written: Substring)
  }

  private enum Part: String {
    case arguments = ""
    case host, port, address, seed
  }

  private func pieces(_ text: String) -> [Piece] {
    var pieces: [Piece] = []
    var rest = text[...]
    while let start = rest.firstIndex(of: "{") {
      let inner = rest[rest.index(after: start)...]
      let word = inner.prefix { $0.isASCII && ($0.isLowercase || $0 == "_" || $0 == ".") }
      let parts = word.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
      guard word.endIndex < rest.endIndex, rest[word.endIndex] == "}",
        let placeholder = parts.first.flatMap({ RunbookPlaceholder(rawValue: String($0)) }),
        let part = Part(rawValue: parts.count > 1 ? String(parts[1]) : "")
      else {
        pieces.append(.text(rest[..<inner.startIndex]))
        rest = inner
        continue
      }
      let end = rest.index(after: word.endIndex)
      pieces.append(.text(rest[..<start]))
      pieces.append(.placeholder(placeholder, part: part, written: rest[start..<end]))
      rest = rest[end...]
    }
    return pieces + [.text(rest)]
  }

  private mutating func filled(_ text: String, as language: Language, server: RunbookServer?) -> String {
    var line = ""
    for piece in pieces(text) {
      switch piece {
      case .text(let text): line += text
      case .placeholder(let placeholder, let part, let written):
        if let word = word(placeholder, part, language, server, in: &line) {
          line += word
        } else {
          line += written
          if !open.contains(placeholder) { open.append(placeholder) }
        }
      }
    }
    return line
  }

  private mutating func word(
    _ placeholder: RunbookPlaceholder, _ part: Part, _ language: Language, _ each: RunbookServer?, in line: inout String
  ) -> String? {
    let word: String?
    switch target.value(of: placeholder) {
    case .unknown: return nil
    case .word(let text): word = language == .promql ? ShellText.promQL(text) : ShellText.word(text)
    case .servers(let servers):
      guard let server = placeholder.kind == .servers ? each ?? (servers.count == 1 ? servers[0] : nil) : servers.first,
        let command = server.command
      else { return nil }
      switch part {
      case .arguments, .seed:
        let seed = part == .seed ? command.address.map { $0 + command.options } : command.arguments
        guard let seed, let program = line.ranges(of: "redis-cli").last else { return nil }
        if !line[..<program.lowerBound].hasSuffix(command.login) {
          line.insert(contentsOf: command.login, at: program.lowerBound)
        }
        let isClustered = placeholder == .keys && target.workload?.topology == .cluster
        word = isClustered ? "\(seed) -c" : seed
        if !reached.contains(where: { $0.instance == server.instance }) { reached.append(server) }
      case .host: word = command.host
      case .port: word = command.port.map(String.init)
      case .address: word = command.address
      }
    }
    // In a code span of Markdown, and in a cell of a table, it would end what it stands in.
    if language == .prose, word?.contains(where: { "`|".contains($0) }) ?? false { return nil }
    return word
  }

  // MARK: The whole

  /// The runbook with a line above it that says for what it is filled in, and below it what is to be filled in by hand.
  ///
  /// - Parameter time: as of when the roles of servers are, `00:12:30 UTC`.
  func whole(asOf time: String) -> String {
    var text = lines
    let head = preface(time)
    // Below the title.
    let place = text.first?.hasPrefix("# ") ?? false ? 1 : 0
    text.insert(contentsOf: head.flatMap { ["", "> \($0)"] }, at: place)
    while text.last?.isEmpty ?? false { text.removeLast() }
    if !target.setting.links.isEmpty {
      text += ["", "## Links", ""] + target.setting.links.map(link)
    }
    if !open.isEmpty {
      text += ["", "## What to fill in", ""] + open.map { "- `{\($0.rawValue)}`: \($0.meaning)" }
    }
    return text.joined(separator: "\n") + "\n"
  }

  private func link(_ link: RunbookLink) -> String {
    let title = String(link.title.flatMap { "\\`*_[]<>".contains($0) ? ["\\", $0] : [$0] })
    let address = link.address { part in
      switch part {
      case .workload: target.workload?.name ?? target.labels["workload"]
      case .instance: target.labels["instance"]
      case .host: target.host
      case .environment: target.workload?.environment
      }
    }
    return "- \(title): \(address.map { "<\($0)>" } ?? "`\(link.url)`")"
  }

  private func preface(_ time: String) -> [String] {
    var sentences: [String] = []
    if let workload = target.workload {
      let node = target.labels["instance"].flatMap(code).map { ", \($0)" } ?? ""
      sentences.append(
        "Commands are filled in for \(code(workload.name) ?? "its workload")\(node), with the roles of \(time).")
    }
    let unknown = open.filter { $0.kind != .chosen }
    if !unknown.isEmpty {
      let names = unknown.map { "`{\($0.rawValue)}`" }.joined(separator: ", ")
      let isWorkloadKnown = target.workload != nil
      sentences.append(
        "\(names) \(unknown.count == 1 ? "is" : "are") not filled in: open the runbook from its alert, or say what it is about: "
          + (isWorkloadKnown
            ? "`&node=INSTANCE` in the address, `--node` for `redline runbook`."
            : "`?workload=NAME` or `?node=INSTANCE` in the address, `--workload` or `--node` for `redline runbook`."))
    }
    return sentences + logins
  }

  /// Who commands log in as, and where a password comes from that no command can read by itself.
  var logins: [String] {
    guard let workload = target.workload else { return [] }
    var sentences: [String] = []
    let names = reached.compactMap { $0.role == .sentinel ? workload.sentinel?.login?.user : workload.login?.user }
    for name in Set(names).sorted() {
      guard let name = code(name) else { continue }
      sentences.append("Commands log in as \(name), as redline does: one that changes something may need another user.")
    }
    for (isSentinel, login, name) in [
      (false, workload.login, RunbookServer.passwordName),
      (true, workload.sentinel?.login, RunbookServer.sentinelPasswordName),
    ] where reached.contains(where: { ($0.role == .sentinel) == isSentinel }) {
      switch login?.password {
      case .literal:
        let path = target.setting.configurationPath.flatMap(code) ?? "redline.yml"
        sentences.append(
          "The password of the \(isSentinel ? "Sentinels" : "servers") stands in \(path). Once in the shell: `read -rs \(name)`, and paste it."
        )
      case .environment(let name):
        sentences.append("`$\(name)` is a variable of redline's environment: set it in the shell first.")
      case .file, .credential, nil: break
      }
    }
    return sentences
  }

  /// As a code span; nil for what would end it.
  private func code(_ text: String) -> String? {
    text.contains("`") || ShellText.word(text) == nil ? nil : "`\(text)`"
  }
}
