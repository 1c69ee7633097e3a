extension FleetConfig {
  /// Every key that the file may have, in the order in which they are read. A default that depends on the workload's
  /// kind lists each kind.
  static func keys(_ watches: [any ConfiguredWatch.Type]) -> [ConfigKey] {
    let byKind = WorkloadKind.allCases.map { (kind: $0, keys: keys(of: $0, watches)) }
    return byKind[0].keys.enumerated().map { place, key in
      var key = key
      var kinds: [(text: String, kinds: [String])] = []
      for (kind, keys) in byKind {
        let text = keys[place].default
        if let known = kinds.firstIndex(where: { $0.text == text }) {
          kinds[known].kinds.append(kind.rawValue)
        } else {
          kinds.append((text, [kind.rawValue]))
        }
      }
      key.default =
        kinds.count == 1
        ? key.default.asCode
        : kinds.map { "\($0.text.isEmpty ? "none" : $0.text.asCode) (\($0.kinds.joined(separator: ", ")))" }
          .joined(separator: "; ")
      return key
    }
  }

  private static func keys(of kind: WorkloadKind, _ watches: [any ConfiguredWatch.Type]) -> [ConfigKey] {
    let mark = SourceMark(line: 1, column: 1)
    let word = YAMLNode(content: .scalar(kind.rawValue, isPlain: true), mark: mark)
    let workload = YAMLNode(content: .mapping([.init(key: "kind", keyMark: mark, value: word)]), mark: mark)
    let recorder = KeyRecorder(given: ["workloads[]": workload])
    let diagnostics = Diagnostics(file: "", recorder: recorder)
    _ = FleetConfig(MappingReader(.emptyMapping, path: "", diagnostics: diagnostics), folder: "", watches: watches)
    return recorder.keys
  }

  /// The reference of the file as Markdown, a table for each mapping, without a line break at its end.
  public static func referenceText(watches: [any ConfiguredWatch.Type]) -> String {
    let keys = keys(watches)
    var lines = [
      "# Configuration reference", "", introduction, "", "## The top of the file", "",
    ]
    lines += table(of: keys.filter { $0.parent.isEmpty })
    for block in keys where [ConfigKey.mapping, ConfigKey.listOfMappings].contains(block.type) {
      let path = block.type == ConfigKey.listOfMappings ? "\(block.path)[]" : block.path
      let own = keys.filter { $0.parent == path }
      if !own.isEmpty { lines += ["", "## \(path.asCode)", "", block.meaning, ""] + table(of: own) }
    }
    return lines.joined(separator: "\n")
  }

  private static func table(of keys: [ConfigKey]) -> [String] {
    ["| key | type | range | default | meaning |", "|---|---|---|---|---|"]
      + keys.map { key in
        let cells = [
          String(key.name).asCode, key.type, key.range, key.isRequired ? "**required**" : key.default, key.meaning,
        ]
        return "| \(cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ")) |"
      }
  }

  private static let introduction = """
    Every key of `redline.yml`, as `redline reference configuration` prints it from the code that reads the file. \
    `redline check-config FILE` names each error with its line, `--print` shows a file with everything filled in. A key \
    that is not listed here is an error; one whose value is null counts as left out. Below, `[]` stands for each entry \
    of a list.

    | type | written as |
    |---|---|
    | duration | a number with its unit, or several: `300ms`, `15s`, `1h30m`, `2d`; units are ns, us, ms, s, m, h, d, w, y |
    | share | `0.85` or `85%` |
    | address | `host:port`, `[::1]:6379`, a URL with `redis`, `rediss`, `valkey`, `valkeys` or `tcp`, or `unix:///path`; never with credentials |
    | address pattern | a host, a glob over hosts or a network, with a port or `*`: `10.1.0.0/16:*` |
    | key pattern | a glob, with its database where that is not 0: `lock:*`, `db3=lock:*` |
    | window | once, `2026-11-27T00:00:00Z/2026-11-30T00:00:00Z`, or every week, `Mon-Fri 22:00-06:00 +02:00` |
    """
}

extension String {
  fileprivate var asCode: String { isEmpty ? "" : "`\(self)`" }
}
