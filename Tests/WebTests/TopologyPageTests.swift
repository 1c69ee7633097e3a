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

  @Test func everythingForeignIsEscaped() {
    let evil = "<script>alert('1')</script>\"&\u{0}"
    var node = TopologyPage.Node(evil, role: evil, state: evil, level: .grave)
    node.reason = evil
    node.lagSeconds = 1
    node.lagNote = evil
    var workload = TopologyPage.Workload(
      evil, state: .critical, traits: [evil, evil], presentCount: 1, expectedCount: nil)
    workload.windows = [evil]
    workload.failoverCount = 1
    workload.lastFailoverAgeSeconds = 5
    workload.lastFailover = evil
    workload.groups = [TopologyPage.Group(evil, [node])]
    var alert = TopologyPage.Finding(.grave, evil)
    alert.alert = evil
    workload.findings = [TopologyPage.Finding(.grave, evil), alert]
    let page = text([workload])
    #expect(!page.contains("<script") && !page.contains("alert('") && !page.contains("\u{0}"))
    let escaped = "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;\u{FFFD}"
    // Tile, heading, two traits, window, failover, finding, alert, its summary, group, node, role, state, reason, lag.
    #expect(page.split(separator: escaped, omittingEmptySubsequences: false).count == 16)
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
    #expect(policy.contains("default-src 'none'") && !policy.contains("script"))
    #expect(!page.contains("src=") && !page.contains("://") && !page.contains("<script") && !page.contains(" on"))
    #expect(page.contains("<meta http-equiv=\"refresh\" content=\"10\">"))
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
    fresh.failoverCount = 0
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
    workload.lagObjectiveSeconds = 10
    workload.failoverCount = 2
    workload.lastFailoverAgeSeconds = 400
    workload.lastFailover = "automatic failover"
    let page = text([workload])
    for part in [
      "<td><a href=\"/node/r%3A1\">r:1</a></td><td class=\"role\">replica</td>",
      "timeout<small>no answer in 1 s</small>",
      "disconnected 75 s</span>",
      "<rect width=\"90\" height=\"10\"/><rect class=\"mark\" x=\"85\" width=\"2\" height=\"10\"/>", "90 %</span>",
      "45 MiB",
      "1.5 KiB <small>no limit is set</small>", "wanted: lag up to 10 s, memory up to 85 %", "3 of 6 up",
      "2 failovers, the last 6 min ago (automatic failover)",
    ] { #expect(page.contains(part), "\(part)") }
  }

  @Test(arguments: TopologyPage.State.allCases) func tileAndHeadingSayTheState(state: TopologyPage.State) {
    var told = workload("a", state)
    told.stateAgeSeconds = 75
    let page = text([told])
    #expect(page.contains("<b>a</b> <span>\(state.rawValue)</span>"))
    #expect(
      page.contains(
        "<h2>a <span class=\"verdict\">\(state.rawValue)</span> <span class=\"dim since\">for 75 s</span></h2>"))
    #expect(page.contains("<section id=\"w0\" class=\"\(state.level.style)\">"))
  }

  /// The state is the daemon's to tell: a finding of the setup, or a note, does not change it.
  @Test func findingsDoNotDecideTheState() {
    var workload = workload("a")
    workload.findings = [.init(.grave, "split")]
    #expect(text([workload]).contains("<b>a</b> <span>healthy</span>"))
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
    let order = page.split(separator: "\n").filter { $0.hasPrefix("<li") || $0.hasPrefix("<h3") }
      .map { $0.split(separator: ">").last.map { String($0.prefix { $0 != "<" }) } ?? "" }
    #expect(order == ["split", " fires: is down", "late", "moving", "How it is set up", "drift"])
    #expect(page.contains("<a href=\"/runbooks/RedisDown\">RedisDown</a> fires: is down"))
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
    #expect(workloads.contains("<b>z</b>"), "what is critical is listed first")

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
