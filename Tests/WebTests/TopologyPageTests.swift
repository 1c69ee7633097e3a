import Testing

@testable import Web

@Suite struct TopologyPageTests {
  private func text(_ workloads: [TopologyPage.Workload]) -> String {
    let page = TopologyPage(version: "1.0", metricsPath: "/metrics", workloads: workloads, nowSeconds: 1_764_376_000)
    return String(decoding: page.response().body.bytes, as: UTF8.self)
  }

  private func workload(
    _ name: String, _ state: TopologyPage.State = .healthy, nodes: [TopologyPage.Node] = []
  ) -> TopologyPage.Workload {
    var workload = TopologyPage.Workload(
      name, state: state, traits: ["cache"], presentCount: nodes.count, expectedCount: 6)
    workload.groups = [TopologyPage.Group("", nodes)]
    return workload
  }

  private func node(_ name: String) -> TopologyPage.Node {
    TopologyPage.Node(name, role: "master", state: "up", level: .good)
  }

  @Test func golden() {
    var down = TopologyPage.Node("sessions-1:6379", role: "was master", state: "timeout", level: .grave)
    down.reason = "no answer in 2 s; last answer 14 s ago"
    var replica = TopologyPage.Node("sessions-2:6379", role: "replica", state: "up", level: .good)
    (replica.usedMemoryBytes, replica.memoryUsedRatio, replica.lagSeconds) = (45 << 20, 0.43, 14)
    (replica.isLagHigh, replica.lagAsOfSeconds) = (true, 1_764_375_986)
    var sessions = TopologyPage.Workload(
      "sessions", state: .critical, traits: ["session", "sentinel", "prod"], presentCount: 2, expectedCount: 3)
    sessions.stateAgeSeconds = 14
    sessions.environment = "prod"
    sessions.memoryObjectiveRatio = 0.85
    (sessions.failovers, sessions.windows) = (.init(count: 0), ["peak"])
    sessions.groups = [
      .init("", [down, replica]),
      .init("Sentinels", [TopologyPage.Node("sentinel-1", role: "sentinel", state: "up", level: .good)]),
    ]
    sessions.figures = [
      .init("Operations", "1204/s"), .init("Hit ratio", nil),
      .init("p99", "12 ms", objective: "up to 10 ms", isMissed: true),
      .init("Memory", "43 %", objective: "up to 85 %"), .init("Lag", "14 s", objective: "up to 10 s", isMissed: true),
      .init("Evictions", "0/s"), .init("Clients", "210"),
    ]
    var alert = TopologyPage.Finding(.grave, "sessions has no master: no writes are taken")
    (alert.alert, alert.hasRunbook, alert.sinceSeconds) = ("RedisMastersMissing", true, 1_764_375_986)
    alert.runbook = Markdown(
      "1. Look who is master:\n\n```sh\nredis-cli -p 26379 sentinel masters\n```\n", headingOffset: 3, omitsTitle: true,
      pages: [])
    var finding = TopologyPage.Finding(.warning, "sessions-1:6379 does not answer: timeout")
    (finding.sinceSeconds, finding.node) = (1_764_375_990, "sessions-1:6379")
    var posture = TopologyPage.Finding(.warning, "settings differ between members: save")
    posture.isPosture = true
    sessions.findings = [finding, alert, posture]
    var availability = BudgetBar("Availability 99.9 %", badSeconds: 2423, knownSeconds: 2_592_000)
    (availability.remainingRatio, availability.burn, availability.knownSinceSeconds) = (0.065, 33.333, 1_761_784_000)
    sessions.budgets = [availability, BudgetBar("Latency 99 % within 10 ms", badSeconds: 0, knownSeconds: 0)]
    var cache = workload("cache", nodes: [node("cache-1:7000"), node("cache-2:7000")])
    (cache.environment, cache.figures) = (
      "test", sessions.figures.map { .init($0.title, $0.isMissed ? "2.0 ms" : $0.value) }
    )
    cache.stateAgeSeconds = 86_000
    var page = TopologyPage(
      version: "1.0", metricsPath: "/metrics", workloads: [cache, workload("queues", .degraded), sessions],
      nowSeconds: 1_764_376_000)
    page.brokenRuleCount = 1
    GoldenPage.expect(page.response(), "start")
  }

  @Test(
    arguments: [
      (1, "100 % of the budget left"), (0.9996, "99.9 % of the budget left"), (0.43, "43 % of the budget left"),
      (-0.25, "125 % of the budget used"), (nil, "–</b>"),
    ] as [(Double?, String)])
  func aBudgetSaysWhatIsLeft(ratio: Double?, words: String) {
    var workload = workload("a")
    var bar = BudgetBar("Availability 99.9 %", badSeconds: 3, knownSeconds: 1800)
    (bar.remainingRatio, bar.burn) = (ratio, 0.123)
    workload.budgets = [bar]
    let page = text([workload])
    #expect(page.contains(words) && page.contains("burns 0.12×"))
    #expect(page.contains("3.0 s bad in 30 min known of 30 d\(ratio == nil ? ", an hour is needed" : "")"))
    #expect(page.contains("class=\"bar high\"") == (ratio ?? 1 < 0.1))
  }

  @Test func theScriptIsSmallAndTheDaemonsOwn() {
    #expect(PageScript.text.utf8.count < 10_000 && !PageScript.text.contains("://"))
    #expect(!PageScript.text.contains("innerHTML") && !PageScript.text.contains("eval"))
  }

  @Test func everythingForeignIsEscaped() {
    let evil = "<script>alert('1')</script>\"&\u{0}"
    var node = TopologyPage.Node(evil, role: evil, state: evil, level: .grave)
    node.reason = evil
    node.lagSeconds = 1
    node.lagNote = evil
    var workload = TopologyPage.Workload(
      evil, state: .critical, traits: [evil, evil], presentCount: 1, expectedCount: nil)
    workload.windows = [evil]
    workload.failovers = .init(count: 1, lastAgeSeconds: 5, last: evil)
    workload.groups = [TopologyPage.Group(evil, [node])]
    var alert = TopologyPage.Finding(.grave, evil)
    alert.alert = evil
    workload.findings = [TopologyPage.Finding(.grave, evil), alert]
    let page = text([workload])
    #expect(!page.contains("<script>") && !page.contains("alert('") && !page.contains("\u{0}"))
    let escaped = "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;\u{FFFD}"
    // Title, sentence, its reason, the name twice, window, two traits, failover, finding, alert, its summary, node, role, state,
    // reason, lag.
    #expect(page.split(separator: escaped, omittingEmptySubsequences: false).count == 18)
  }

  @Test func whatIsNotCurrentSaysSo() {
    var node = node("n")
    (node.usedMemoryBytes, node.memoryUsedRatio, node.isMemoryHigh) = (95, 0.95, true)
    (node.lagSeconds, node.isLagHigh) = (7, true)
    let current = text([workload("a", nodes: [node])])
    #expect(current.contains("<span class=\"warning\">95 %") && !current.contains("as of"))
    // A day before and a minute before what `text` takes for now.
    (node.lagAsOfSeconds, node.memoryAsOfSeconds) = (1_764_289_600, 1_764_375_940)
    let stale = text([workload("a", nodes: [node])])
    #expect(
      stale.contains("<span class=\"stale\"><span class=\"phone\">lag </span>7.0 s <small class=\"as-of\">as of "))
    #expect(stale.contains(">2025-11-28 00:26:40</time>") && stale.contains(">00:25:40</time>"))
    #expect(stale.contains("<span class=\"stale\"><svg"))
  }

  @Test func nothingIsLoadedOrRun() {
    let response = TopologyPage(
      version: "1", metricsPath: "/metrics", workloads: [workload("a", nodes: [node("n")])], nowSeconds: 0
    )
    .response()
    let page = String(decoding: response.body.bytes, as: UTF8.self)
    let policy = response.headers.first { $0.name == "Content-Security-Policy" }?.value ?? ""
    #expect(
      policy.contains("default-src 'none'") && policy.contains("script-src 'self';") && !policy.contains("unsafe"))
    let own = page.replacing("<script src=\"/redline.js\" defer></script>", with: "")
    #expect(!own.contains("src=") && !own.contains("://") && !own.contains("<script") && !own.contains(" on"))
    #expect(page.contains("<noscript><meta http-equiv=\"refresh\" content=\"10\"></noscript>"))
    #expect(page.contains("prefers-color-scheme: dark") && page.contains("width=device-width"))
  }

  @Test func emptyStates() {
    #expect(text([]).contains("No workload is watched."))
    let unknown = text([
      TopologyPage.Workload("a", state: .unknown, traits: ["cache"], presentCount: 0, expectedCount: nil)
    ])
    #expect(unknown.contains("No node is known yet.") && unknown.contains("0 up"))
    #expect(!unknown.contains("failover"))
    var fresh = workload("a")
    fresh.failovers = .init(count: 0)
    #expect(text([fresh]).contains("no failover since it is watched"))
  }

  @Test func aNodeTellsRoleStateLagAndMemory() {
    var replica = TopologyPage.Node("r:1", role: "replica", state: "timeout", level: .grave)
    replica.reason = "no answer in 1 s"
    replica.lagSeconds = 75
    replica.lagNote = "disconnected"
    replica.isLagHigh = true
    var master = node("m:1")
    master.usedMemoryBytes = 45 << 20
    master.memoryUsedRatio = 0.9
    master.isMemoryHigh = true
    var full = node("m:2")
    full.usedMemoryBytes = 1536
    var workload = workload("a", nodes: [replica, master, full])
    workload.memoryObjectiveRatio = 0.85
    workload.figures = [
      .init("p99", "12 ms", objective: "up to 10 ms", isMissed: true), .init("Lag", nil, objective: ""),
    ]
    workload.failovers = .init(count: 2, lastAgeSeconds: 400, last: "automatic failover")
    let page = text([workload])
    for part in [
      "<td><a href=\"/node/r%3A1\">r:1</a></td><td class=\"role\">replica</td>",
      "timeout<small>no answer in 1 s</small>",
      "disconnected 75 s</span>",
      "<rect width=\"90\" height=\"10\"/><rect class=\"mark\" x=\"85\" width=\"2\" height=\"10\"/>", "90 %</span>",
      "45 MiB",
      "1.5 KiB <small>no limit is set</small>", "3 of 6 up",
      "<b class=\"warning\">12 ms</b> <small>up to 10 ms</small>", "Lag </span><b class=\"dim\">–</b>",
      "2 failovers, the last 6 min ago (automatic failover)",
    ] { #expect(page.contains(part), "\(part)") }
  }

  /// In its line, in the title and in the icon.
  @Test(arguments: TopologyPage.State.allCases) func theStateIsTold(state: TopologyPage.State) {
    var told = workload("a", state)
    told.stateAgeSeconds = 75
    let page = text([told])
    #expect(
      page.contains(
        "<b>a</b> <span class=\"verdict\">\(state.rawValue)</span> <span class=\"dim since\">for 75 s</span>"))
    let isOpen = state == .healthy ? "" : " open"
    #expect(
      page.contains("<details class=\"workload \(state.level.style)\" id=\"w-a\" data-name=\"a\"\(isOpen)>"))
    #expect(page.contains("<link rel=\"icon\" href=\"/icon/\(state.rawValue).svg\">"))
    #expect(page.contains(state == .healthy ? "<title>healthy · Redline" : "<title>\(state.rawValue): a · Redline"))
  }

  /// The state is the daemon's to tell: a finding of the setup, or a note, does not change it.
  @Test func findingsDoNotDecideTheState() {
    var workload = workload("a")
    workload.findings = [.init(.grave, "split")]
    #expect(text([workload]).contains("<b>a</b> <span class=\"verdict\">healthy</span>"))
  }

  /// The sentence that somebody reads who reads nothing else.
  @Test func oneSentenceSaysHowTheFleetStands() {
    func lead(_ workloads: TopologyPage.Workload...) -> String {
      let line = text(workloads).split(separator: "\n").first { $0.hasPrefix("<p class=\"lead") } ?? ""
      return String(line.replacing(/<[^>]*>/, with: ""))
    }
    #expect(lead() == "No workload is watched.")
    #expect(
      lead(workload("a")) == "a is healthy." && lead(workload("a"), workload("b")) == "All 2 workloads are healthy.")
    var sick = workload("sessions", .critical)
    sick.stateAgeSeconds = 14
    sick.findings = [.init(.warning, "late"), .init(.grave, "no master")]
    #expect(
      lead(workload("a"), sick, workload("b"))
        == "sessions is critical for 14 s: no master. 2 of 3 workloads are healthy.")
    #expect(lead(sick) == "sessions is critical for 14 s: no master.")
    let others = (1...3).map { workload("w\($0)", .degraded) }
    #expect(
      lead(sick, others[0], others[1], others[2])
        == "sessions is critical for 14 s: no master. w1 is degraded. w2 is degraded. 1 more is not healthy. "
        + "0 of 4 workloads are healthy.")
  }

  @Test func theWorstComeFirstAndAFilterSaysWhich() {
    var prod = workload("beta", .degraded)
    prod.environment = "prod"
    let all = [workload("alpha"), prod, workload("gamma", .critical)]
    func names(_ change: (inout TopologyPage.Filter) -> Void) -> [String] {
      var page = TopologyPage(version: "1", metricsPath: "/metrics", workloads: all, nowSeconds: 0)
      change(&page.filter)
      let text = String(decoding: page.response().body.bytes, as: UTF8.self)
      return text.matches(of: /data-name="(\w+)"/).map { String($0.output.1) }
    }
    #expect(names { _ in } == ["gamma", "beta", "alpha"])
    #expect(names { $0.state = .degraded } == ["beta"] && names { $0.environment = "prod" } == ["beta"])
    #expect(names { $0.name = "AM" } == ["gamma"] && names { $0.name = "x" } == [])
  }

  @Test func aShardIsOpenWhereANodeIsNotWell() {
    var workload = workload("a", .degraded)
    let sick = TopologyPage.Node("s", role: "replica", state: "timeout", level: .grave)
    workload.groups = [TopologyPage.Group("Shard 1", [node("m")]), TopologyPage.Group("Shard 2", [node("n"), sick])]
    let page = text([workload])
    #expect(page.contains("<details class=\"shard\"><summary>Shard 1 <span class=\"dim\">· </span>1 node, all well"))
    #expect(page.contains("<details class=\"shard\" open><summary>Shard 2"))
    #expect(page.contains("1 of 2 nodes not well"))
  }

  @Test func theWorstFindingComesFirstAndTheSetupStandsApart() throws {
    var troubled = workload("a", .critical)
    var alert = TopologyPage.Finding(.grave, "is down")
    alert.alert = "RedisDown"
    alert.hasRunbook = true
    var drift = TopologyPage.Finding(.warning, "drift")
    drift.isPosture = true
    troubled.findings = [drift, .init(.note, "moving"), .init(.grave, "split"), .init(.warning, "late"), alert]
    let page = text([troubled])
    let order = page.split(separator: "\n").filter { $0.hasPrefix("<li class") || $0.hasPrefix("<h3") }
      .map { $0.split(separator: ">").last.map { String($0.prefix { $0 != "<" }) } ?? "" }
    #expect(order == ["split", " fires: is down", "late", "moving", "How it is set up", "drift"])
    #expect(page.contains("<a href=\"/runbooks/RedisDown\">RedisDown</a> fires: is down"))
    alert.runbook = Markdown("1. Look.", headingOffset: 3, omitsTitle: true, pages: [])
    (alert.sinceSeconds, alert.node) = (1_764_375_940, "n:1")
    troubled.findings = [alert, alert]
    let inPlace = text([troubled])
    #expect(inPlace.split(separator: "<details class=\"runbook\">").count == 2, "once for all alerts of the name")
    #expect(
      inPlace.contains("since <time datetime=\"2025-11-29T00:25:40Z\">") && inPlace.contains("<a href=\"/node/n%3A1\">")
    )
  }

  @Test func thePageIsBounded() {
    let many = (0..<1500).map { node("n\($0).") }
    let nodes = text([workload("a", nodes: many), workload("b", nodes: many), workload("c", nodes: many)])
    #expect(nodes.split(separator: "<td class=\"role\">").count == 2001)
    #expect(
      nodes.contains("1000 further nodes are not listed.") && nodes.contains("1500 further nodes are not listed."))

    let last = workload("z", .critical)
    let workloads = text((0..<250).map { workload("w\($0)") } + [last])
    #expect(workloads.contains("<p class=\"dim\">51 further workloads are not listed.</p>"))
    #expect(workloads.contains("<b>z</b>"), "what is critical is listed")

    var wordy = workload("a")
    wordy.findings = (0..<30).map { .init(.warning, "\($0) " + String(repeating: "x", count: 5000)) }
    let findings = text([wordy])
    #expect(
      findings.contains("<li class=\"dim\">5 further findings are not listed.</li>") && findings.utf8.count < 50_000)
  }

  @Test(arguments: [
    (-1.0, "0.0 s"), (0.44, "0.4 s"), (75, "75 s"), (7300, "2 h"), (1e9, "11574 d"), (.infinity, "endless"),
  ])
  func spans(seconds: Double, text: String) { #expect(span(seconds) == text) }

  @Test(arguments: [(-5, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (45 << 20, "45 MiB"), (Int.max, "8388608 TiB")])
  func sizes(bytes: Int, text: String) { #expect(size(bytes) == text) }
}
