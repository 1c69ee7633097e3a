import Config
import Fleet
import Redis
import Runtime
import Testing

@testable import API

/// Runbooks with their commands filled in: for the tests' workload `s` under Sentinel, and `c`, a cluster.
@Suite struct RunbookTests {
  private static let folder =
    String(#filePath.dropLast("Tests/APITests/RunbookTests.swift".count)) + "alerts/"

  private static let library = RunbookLibrary(directory: folder + "runbooks")

  // MARK: The shipped runbooks

  /// The alerts of the rules' own tests, each with labels that it has there.
  private static func alerts() throws -> [String: [String: String]] {
    var alerts: [String: [String: String]] = [:]
    for file in SmallFile.names(inDirectory: folder + "tests", limit: 100) {
      var name = ""
      for line in try #require(SmallFile.text("\(folder)tests/\(file)", limit: 1 << 20)).split(separator: "\n") {
        if let range = line.firstRange(of: "alertname: ") {
          name = String(line[range.upperBound...].prefix { $0 != "," && $0 != "}" })
        }
        guard let range = line.firstRange(of: "exp_labels: {") else { continue }
        var labels: [String: String] = [:]
        for pair in line[range.upperBound...].prefix(while: { $0 != "}" }).split(separator: ", ") {
          let parts = pair.split(separator: ": ", maxSplits: 1)
          if parts.count == 2 { labels[String(parts[0])] = String(parts[1].filter { $0 != "'" && $0 != "\"" }) }
        }
        if alerts[name]?["workload"] == nil { alerts[name] = labels }
      }
    }
    return alerts
  }

  /// Every command goes to the servers of the alert, with all that is known of it.
  @Test func everyOneIsFilledInForItsAlert() throws {
    let alerts = try Self.alerts()
    let names = Self.library.names()
    #expect(names.count > 50 && names.allSatisfy { alerts[$0] != nil })
    for name in names {
      let text = try #require(Self.library.text(name))
      var labels = alerts[name] ?? [:]
      guard labels["workload"] != nil else { continue }
      // What only a cluster has.
      let isCluster = ["RedisSlotsUncovered", "RedisMasterWithoutReplica", "RedisHitRatioLow"].contains(name)
      labels["workload"] = isCluster ? "c" : "s"
      let isReplica = ["RedisReplicationLagHigh", "RedisClientsWriteToReplica"].contains(name)
      if labels["instance"] != nil { labels["instance"] = isReplica ? "s-2" : "s-1" }
      let book = try RunbookText(text, for: Self.target(labels))
      let open = book.open.filter { $0.kind != .chosen }
      #expect(open.isEmpty, "\(name)")
      let whole = book.whole(asOf: "12:00 UTC")
      let remains = whole.split(separator: "## What to fill in").first ?? ""
      #expect(
        book.open.allSatisfy {
          $0.kind == .chosen && remains.contains("{\($0.rawValue)}") && whole.contains("- `{\($0.rawValue)}`: ")
        },
        "\(name)")
    }
  }

  /// No step leaves open where it is to be done.
  @Test func everyCommandHasATarget() throws {
    // Commands that change something, without redis-cli before them.
    let bare = [
      "CONFIG SET", "SENTINEL ", "CLUSTER FAILOVER", "CLUSTER REPLICATE ", "SHUTDOWN", "REPLICAOF NO", "CLIENT KILL",
      "CLIENT PAUSE ", "CLIENT UNPAUSE", "XACK", "XAUTOCLAIM", "ACL SETUSER", "BGSAVE", "BGREWRITEAOF", "DEBUG",
    ]
    let servers = RunbookPlaceholder.allCases.filter { $0.kind == .server || $0.kind == .servers }.map(\.rawValue)
    for name in Self.library.names() {
      let text = try #require(Self.library.text(name))
      var isCode = false
      for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
        if line.contains("```") { isCode.toggle() }
        for part in line.ranges(of: "redis-cli ") {
          let rest = line[part.upperBound...]
          let hasTarget = servers.contains { server in
            rest.hasPrefix("{\(server)}")
              || (rest.hasPrefix("--cluster ") && rest.contains("{\(server).seed}"))
              || (rest.hasPrefix("--intrinsic-latency") && line.hasPrefix("ssh {\(server).host} "))
          }
          #expect(hasTarget, "\(name): \(line)")
        }
        for word in ["HOST", "PORT"] {
          #expect(!line.split { !($0.isLetter || $0 == "_") }.contains { $0 == word }, "\(name): \(line)")
        }
        if !isCode {
          // Every other piece is a code span.
          for (place, span) in line.split(separator: "`", omittingEmptySubsequences: false).enumerated() {
            guard place % 2 == 1 else { continue }
            #expect(!bare.contains { span.hasPrefix($0) && span.contains(" ") && span != $0 }, "\(name): \(span)")
          }
        }
        Self.expectKnownPlaceholders(line, name)
      }
    }
  }

  /// Who writes runbooks of their own finds each of them.
  @Test func everyPlaceholderIsDocumented() throws {
    let path = Self.folder + "../deploy/docs/alerts.md"
    let text = try #require(SmallFile.text(path, limit: 1 << 20))
    for placeholder in RunbookPlaceholder.allCases {
      #expect(text.contains("`{\(placeholder.rawValue)}`"), "\(placeholder)")
      #expect(!placeholder.meaning.isEmpty)
    }
  }

  private static func expectKnownPlaceholders(_ line: Substring, _ name: String) {
    let conditions = [
      "in a cluster", "under Sentinel", "with plain replication", "for a cache", "for sessions", "for queues",
    ]
    for part in line.split(separator: "{").dropFirst() {
      let word = part.prefix { $0.isLetter || $0 == "_" || $0 == "." || $0 == " " }
      guard part.dropFirst(word.count).first == "}", !word.isEmpty, !conditions.contains(String(word)) else { continue }
      let parts = word.split(separator: ".")
      let isKnown =
        RunbookPlaceholder(rawValue: String(parts[0])) != nil
        && (parts.count == 1 || ["host", "port", "address", "seed"].contains(parts[1]))
      #expect(isKnown, "\(name): {\(word)}")
    }
  }

  // MARK: A workload

  private static let yaml = """
    workloads:
    - name: s
      kind: session
      credentials: {user: ops, password_file: /etc/redline/s.password}
      tls: {ca_file: /etc/ca.pem, cert_file: /etc/me.pem, key_file: "/etc/the key.pem", server_name: redis.example}
      sentinel: {master_name: mymaster, seeds: ["10.0.1.1:26379"], credentials: {password: hunter2-hunter2}}
    - name: c
      kind: cache
      seeds: ["10.0.0.1:6379"]
      credentials: {password_env: CACHE_PASSWORD}
    - name: q
      kind: queue
      seeds: ["10.0.2.1:6379"]
      credentials: {password_credential: queues}
    """

  static func target(_ labels: [String: String]) throws -> RunbookTarget {
    let config = try FleetConfig.parse(Array(yaml.utf8), file: "redline.yml", watches: [])
    var setting = RunbookSetting(
      config, path: "/etc/redline/redline.yml", ownAddress: "http://redline.example:9121/", metricsPath: "/metrics",
      credentialsFolder: "/run/credentials/redline.service")
    setting.credentialsFolder = "/run/credentials/redline.service"
    var target = RunbookTarget(
      labels: labels, workload: labels["workload"].flatMap { config.workload(named: $0) }, setting: setting)
    func add(_ name: String, _ host: String, _ port: Int, _ role: FleetMember.Role, isUp: Bool = true, shard: Int = 0) {
      guard let workload = target.workload else { return }
      let isSentinel = role == .sentinel
      let login = isSentinel ? workload.sentinel?.login : workload.login
      let tls = isSentinel ? workload.sentinel?.tls : workload.tls
      target.servers.append(
        RunbookServer(
          instance: name, role: role, isUp: isUp, shard: shard, lagSeconds: role == .replica ? Double(port % 10) : nil,
          command: ServerCommand(
            RedisAddress(endpoint: .tcp(host: host, port: port), usesTLS: tls != nil), login: login, tls: tls,
            passwordName: isSentinel ? RunbookServer.sentinelPasswordName : RunbookServer.passwordName,
            credentialsFolder: setting.credentialsFolder)))
    }
    switch target.workload?.topology {
    case .sentinel:
      add("s-1", "10.0.1.1", 6379, .master)
      add("s-2", "10.0.1.2", 6373, .replica)
      add("s-3", "10.0.1.3", 6372, .replica)
      for number in 1...3 {
        add("10.0.0.\(number):26379", "10.0.1.\(number)", 26379, .sentinel, isUp: number > 1, shard: 1)
      }
    case .cluster:
      for shard in 0..<3 {
        add("c-\(shard)", "fd00::\(shard)", 7000 + shard, .master, isUp: shard != 1, shard: shard)
        add("c-r\(shard)", "fd00::1\(shard)", 7010 + shard, .replica, shard: shard)
      }
    default:
      add("q-1", "10.0.2.1", 6379, .master)
      add("q-2", "10.0.2.2", 6379, .replica)
    }
    return target
  }

  private static func filled(_ line: String, _ labels: [String: String], in language: String = "sh") throws -> String {
    try RunbookText("```\(language)\n\(line)\n```", for: target(labels)).lines.dropFirst().dropLast()
      .joined(separator: "\n")
  }

  @Test func addressUserAndTLSOfTheVeryNode() throws {
    let tls = "--tls --cacert /etc/ca.pem --cert /etc/me.pem --key '/etc/the key.pem' --sni redis.example"
    #expect(
      try Self.filled("redis-cli {node} PING", ["workload": "s", "instance": "s-2"])
        == "REDISCLI_AUTH=$(cat /etc/redline/s.password) redis-cli -h 10.0.1.2 -p 6373 --user ops \(tls) PING")
    #expect(
      try Self.filled("redis-cli --cluster fix {cluster.seed} --x", ["workload": "c"])
        == "REDISCLI_AUTH=$CACHE_PASSWORD redis-cli --cluster fix [fd00::0]:7000 --x")
    #expect(
      try Self.filled("redis-cli {master} PING; redis-cli {keys} PING", ["workload": "q"])
        == "REDISCLI_AUTH=$(cat /run/credentials/redline.service/queues) redis-cli -h 10.0.2.1 -p 6379 PING; "
        + "REDISCLI_AUTH=$(cat /run/credentials/redline.service/queues) redis-cli -h 10.0.2.1 -p 6379 PING")
  }

  /// One that stands in redline.yml is not shown: the reader is told where it is.
  @Test func aPasswordIsNeverInTheText() throws {
    let book = RunbookText("`redis-cli {sentinel} PING`", for: try Self.target(["workload": "s"]))
    #expect(book.lines == ["`REDISCLI_AUTH=$SENTINEL_PASSWORD redis-cli -h 10.0.1.2 -p 26379 PING`"])
    let whole = book.whole(asOf: "12:00 UTC")
    #expect(
      whole.contains(
        "The password of the Sentinels stands in `/etc/redline/redline.yml`. Once in the shell: `read -rs SENTINEL_PASSWORD`"
      ))
    #expect(!whole.contains("hunter2") && !whole.contains("of the servers stands"))
    let other = RunbookText("`redis-cli {master} PING`", for: try Self.target(["workload": "s"]))
    #expect(!other.whole(asOf: "12:00 UTC").contains("read -rs"))
  }

  @Test func theRightServers() throws {
    func host(_ placeholder: String, _ labels: [String: String]) throws -> String {
      try Self.filled("{\(placeholder).host}", labels)
    }
    // The least behind, and not the server of the alert itself.
    #expect(try host("replica", ["workload": "s"]) == "10.0.1.3")
    #expect(try host("replica", ["workload": "s", "instance": "s-3"]) == "10.0.1.2")
    #expect(try host("master", ["workload": "s", "instance": "s-3"]) == "10.0.1.1")
    // Of the Sentinels one that answers, unless the alert is about another.
    #expect(try host("sentinel", ["workload": "s"]) == "10.0.1.2")
    #expect(try host("sentinel", ["workload": "s", "sentinel": "10.0.0.3:26379"]) == "10.0.1.3")
    // In a cluster those of the alert's shard; without one those of the shard that has lost its master.
    #expect(try host("replica", ["workload": "c", "instance": "c-2"]) == "fd00::12")
    #expect(try host("replica", ["workload": "c"]) == "fd00::11")
    #expect(try host("sentinel", ["workload": "c"]) == "{sentinel.host}")
    // A shard is not guessed.
    var target = try Self.target(["workload": "c"])
    target.servers.removeAll { $0.shard == 1 }
    #expect(RunbookText("{replica.host} {master.host}", for: target).open == [.replica, .master])
  }

  @Test func aLineForEachServerAndForEachKindOfWorkload() throws {
    let lines = """
      redis-cli {masters} PTTL k | grep {masters.port}
      redis-cli {sentinel} A    # {under Sentinel}
      redis-cli {replica} B     # {in a cluster}
      redis-cli {master} C      # {with plain replication}
      echo cache                # {for a cache}
      """
    let cli = "REDISCLI_AUTH=$CACHE_PASSWORD redis-cli"
    #expect(
      try Self.filled(lines, ["workload": "c", "instance": "c-1"]) == """
        \(cli) -h fd00::0 -p 7000 PTTL k | grep 7000
        \(cli) -h fd00::2 -p 7002 PTTL k | grep 7002
        \(cli) -h fd00::11 -p 7011 B
        echo cache
        """)
    // Nothing is known: all of them, with what they are for.
    #expect(
      try Self.filled(lines, [:])
        == lines.replacing("# {", with: "# ").replacing("Sentinel}", with: "Sentinel")
        .replacing("cluster}", with: "cluster").replacing("replication}", with: "replication")
        .replacing("cache}", with: "cache"))
    let empty = RunbookText(
      "1. Do:\n\n   ```sh\n   redis-cli {sentinel} A    # {under Sentinel}\n   ```\n2. Then",
      for: try Self.target(["workload": "c"]))
    #expect(empty.lines == ["1. Do:", "2. Then"])
    // Of hundreds the first.
    var target = try Self.target(["workload": "c"])
    target.servers = Array(repeating: target.servers[0], count: 400)
    let many = RunbookText("```sh\nredis-cli {members} PING\n```", for: target).lines
    #expect(
      many.count == RunbookText.serverLimit + 3
        && many[RunbookText.serverLimit + 1] == "# and so on: 384 further servers")
  }

  @Test func whatIsNotKnownStaysAndSaysHowToFillItIn() throws {
    let text = "# RedisDown\n\nIt is down.\n\n```sh\nredis-cli {node} -t 3 PING {key}\n```"
    let whole = RunbookText(text, for: RunbookTarget()).whole(asOf: "12:00 UTC")
    #expect(
      whole.hasPrefix(
        "# RedisDown\n\n> `{node}` is not filled in: open the runbook from its alert, or say what it is about: `?workload=NAME` or"
      ))
    #expect(
      whole.contains(
        "redis-cli {node} -t 3 PING {key}\n```\n\n## What to fill in\n\n- `{node}`: the server of the alert"))
    #expect(whole.hasSuffix("- `{key}`: the key in question\n"))
    let known = RunbookText(text, for: try Self.target(["workload": "s", "instance": "s-1"])).whole(asOf: "12:00 UTC")
    #expect(
      known.hasPrefix(
        "# RedisDown\n\n> Commands are filled in for `s`, `s-1`, with the roles of 12:00 UTC.\n\n"
          + "> Commands log in as `ops`, as redline does: one"))
  }

  // MARK: While Redis is lost

  @Test(arguments: WorkloadKind.allCases)
  func theDegradedModeOfEachKind(kind: WorkloadKind) throws {
    let yaml = """
      workloads:
      - {name: told, kind: \(kind), topology: static, seeds: [a], degraded: {on_redis_loss: fail_open, note: Tell support.}}
      - {name: untold, kind: \(kind), topology: static, seeds: [a]}
      """
    let config = try FleetConfig.parse(Array(yaml.utf8), file: "f", watches: [])
    let all = DegradedSection.lost.text(for: nil)
    for section in DegradedSection.allCases {
      let text = "## Degraded mode\n\n\(section.rawValue)\n\n## Next"
      var target = RunbookTarget(workload: config.workload(named: "told"))
      let told = RunbookText(text, for: target).lines.joined(separator: "\n")
      #expect(
        told.hasPrefix(
          "## Degraded mode\n\n**Declared for told:** requests pass unchecked (fail_open). Tell support.\n\n"))
      #expect(told.hasSuffix("\n\n## Next") && !told.contains("{"))
      target.workload = config.workload(named: "untold")
      let untold = RunbookText(text, for: target).lines.joined(separator: "\n")
      #expect(untold.contains("What untold does is not declared") && untold != told)
      if section == .lost, let own = untold.split(separator: ": ").last?.prefix(while: { $0 != "." }) {
        // Where the workload is not known, that of every kind is said.
        #expect(all.contains(own), "\(own)")
      }
    }
    #expect(all.split(separator: "\n- ").count == WorkloadKind.allCases.count)
  }

  /// Where Redis is lost or takes no writes, and nowhere else.
  @Test func runbooksThatHaveIt() throws {
    let names = Self.library.names().filter { name in
      DegradedSection.allCases.contains { Self.library.text(name)?.contains("\n\n\($0.rawValue)\n\n") ?? false }
    }
    #expect(
      names == [
        "RedisAvailabilityBurn", "RedisClientsPaused", "RedisConnectionsRejected", "RedisDown", "RedisLoadingLong",
        "RedisMastersMissing", "RedisMemoryHigh", "RedisPersistenceFailing", "RedisSlotsUncovered", "RedisSplitBrain",
      ])
  }

  // MARK: Notifications and links

  @Test func aNotificationLeadsToTheRunbookAndSaysWhatIsDegraded() throws {
    let yaml = """
      workloads:
      - {name: s, kind: session, topology: static, seeds: [a], degraded: {on_redis_loss: relogin}}
      - {name: t, kind: session, topology: static, seeds: [a]}
      """
    let setting = RunbookSetting(
      try FleetConfig.parse(Array(yaml.utf8), file: "f", watches: []), path: "f", ownAddress: "http://r:1/",
      metricsPath: "/metrics", credentialsFolder: nil)
    func sent(_ labels: [String: String], _ annotations: [String: String]) -> [String: String] {
      setting.annotated(labels: labels, annotations)
    }
    let down = ["workload": "s", "instance": "h:1 & x", "severity": "critical"]
    #expect(
      sent(down, ["runbook_url": "http://r:1/runbooks/RedisDown", "summary": "x"]) == [
        "runbook_url": "http://r:1/runbooks/RedisDown?workload=s&node=h%3A1%20%26%20x", "summary": "x",
        "degraded_mode": "users log in again (relogin).",
      ])
    // What others have written stays.
    for link in ["https://wiki/runbooks/RedisDown", "http://r:1/runbooks/RedisDown?a=b", "http://r:1/other"] {
      #expect(sent(["workload": "t", "severity": "critical"], ["runbook_url": link]) == ["runbook_url": link])
    }
    #expect(sent(down, ["degraded_mode": "own"]) == ["degraded_mode": "own"])
    for more in [["severity": "warning"], ["posture": "true"], ["workload": "nobody"]] {
      #expect(sent(down.merging(more) { $1 }, [:]) == [:])
    }
  }

  @Test func linksStandUnderEveryRunbook() throws {
    let yaml = """
      workloads:
      - {name: s, kind: custom, topology: static, seeds: [a], environment: pro d}
      rules:
        files: [a.yml]
        runbook_links:
        - {title: "[x](http://y)", url: "https://g/?h={host}&i={instance}&e={environment}&w={workload}"}
      """
    let config = try FleetConfig.parse(Array(yaml.utf8), file: "f", watches: [])
    var target = try Self.target(["instance": "s-1", "workload": "s"])
    target.setting.links = config.rules?.runbookLinks ?? []
    target.workload = config.workloads[0]
    #expect(
      RunbookText("# T\n", for: target).whole(asOf: "").hasSuffix(
        "\n\n## Links\n\n- \\[x\\](http://y): <https://g/?h=10.0.1.1&i=s-1&e=pro%20d&w=s>\n"))
    target.labels["instance"] = "a) <script>"
    #expect(
      RunbookText("# T\n", for: target).whole(asOf: "").hasSuffix(
        ": `https://g/?h={host}&i={instance}&e={environment}&w={workload}`\n"))
  }

  // MARK: What servers call themselves

  /// A name of a stream is what any client of Redis has chosen.
  @Test(arguments: [
    ("orders", "orders"), ("a b", "'a b'"), ("$(reboot)", "'$(reboot)'"), ("'; reboot; '", "''\\''; reboot; '\\'''"),
    ("`id`", "'`id`'"), ("--version", "--version"), ("a\nreboot", "{stream}"), ("a\u{3}\u{1B}[A", "{stream}"),
    ("a\u{202E}b", "{stream}"), ("", "{stream}"), ("*", "'*'"), ("~", "'~'"), ("a=b", "'a=b'"), ("{key}", "'{key}'"),
  ])
  func aWordOfAShell(name: String, word: String) throws {
    #expect(
      try Self.filled("XLEN {stream}", ["workload": "q", "stream": name]) == "XLEN \(word)")
  }

  @Test func hostilePlaces() throws {
    #expect(
      try Self.filled("s{stream=\"{stream}\"}", ["stream": "a\"} or x{b=\"\\"], in: "promql")
        == "s{stream=\"a\\\"} or x{b=\\\"\\\\\"}")
    // In Markdown's own code and tables it would end what it stands in.
    for name in ["a`[b](https://example.org)`", "a|b"] {
      let book = RunbookText("`XLEN {stream}`", for: try Self.target(["workload": "q", "stream": name]))
      #expect(book.lines == ["`XLEN {stream}`"] && book.open == [.stream])
    }
    // An announced name that is an option of ssh or redis-cli, or more than a name.
    for host in ["-oProxyCommand=id", "a b", "a;id", "$(id)", ""] {
      #expect(
        ServerCommand(
          RedisAddress(endpoint: .tcp(host: host, port: 1)), login: nil, tls: nil, passwordName: "P",
          credentialsFolder: nil) == nil)
    }
    #expect(
      ServerCommand(
        RedisAddress(endpoint: .unix(path: "/run/a b")), login: nil, tls: nil, passwordName: "P", credentialsFolder: nil
      )?.arguments == "-s '/run/a b'")
  }
}
