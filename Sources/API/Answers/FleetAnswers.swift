import Alerting
import Config
import Fleet
import Redis
import Runtime
import Web

/// Workloads with their members, findings and alerts: what the start page shows.
struct FleetAnswers: Sendable {
  let view: FleetView
  /// Whether alerts reach each Alertmanager.
  let deliveries: @Sendable () -> [DeliveryState]
  var others = OtherShards.none

  /// How every workload stands, those of other shards as well; with `shard=own` of this one alone.
  func fleet(_ parameters: APIParameters, _ answer: inout APIAnswer) async throws {
    let isOwnOnly = try Self.isOwnOnly(parameters)
    async let own = view.workloads()
    let (shards, foreign) = isOwnOnly ? ([], []) : await others.fleet()
    try write(await own, foreign, shards, to: &answer)
  }

  private static func isOwnOnly(_ parameters: APIParameters) throws(APIError) -> Bool {
    switch parameters.form.value("shard") {
    case nil: return false
    case "own": return true
    case let text?:
      throw APIError(.badData, "shard: \(parameters.shown(text)) is not own, which asks for no other shard")
    }
  }

  /// `shards`: which part of the workloads this daemon watches, and whether the other shards answer.
  func shards(_ parameters: APIParameters, _ answer: inout APIAnswer) async throws {
    let isOwnOnly = try Self.isOwnOnly(parameters)
    guard let share = others.share() else {
      throw APIError(.notFound, "this daemon watches all workloads of its file: it is started without --shard")
    }
    let standings = isOwnOnly ? [] : await others.standings()
    answer.data.object { json in
      json.field("shard", share.shard.index)
      json.field("shards", share.shard.count)
      json.key("workloads")
      json.strings(share.names(of: share.shard.index))
      json.key("others")
      Self.write(standings, to: &json)
    }
  }

  private static func write(_ shards: [OtherShards.Standing], to json: inout JSONWriter) {
    json.array { json in
      for shard in shards {
        json.object { json in
          json.field("shard", shard.index)
          json.field("state", shard.answer == nil ? "unknown" : "up")
          if let answer = shard.answer { json.field("url", answer.url) }
          if !shard.problem.isEmpty { json.field("problem", shown: shard.problem) }
        }
      }
    }
  }

  /// `fleet/NAME`
  func workload(_ parameters: APIParameters, _ answer: inout APIAnswer) async throws {
    let isOwnOnly = try Self.isOwnOnly(parameters)
    let found = await view.workloads(named: parameters.rest)
    let foreign = found.isEmpty && !isOwnOnly ? await others.workload(named: parameters.rest) : nil
    // Another shard that asks all of them is to hear from each which one it is.
    guard !found.isEmpty || foreign != nil || isOwnOnly && others.share()?.owners[parameters.rest] != nil else {
      throw Self.unknownWorkload(parameters.rest, parameters)
    }
    try write(found, foreign.map { [$0] } ?? [], [], to: &answer)
  }

  /// `checks?workload=NAME`: what every check says, also where all is well.
  func checks(_ parameters: APIParameters, _ answer: inout APIAnswer) async throws {
    let name = parameters.form.value("workload")
    let results = await view.results(ofWorkload: name)
    if let name, results.isEmpty { throw Self.unknownWorkload(name, parameters) }
    let limit = answer.limit
    try answer.data.object { json throws(APIError) in
      json.key("results")
      try json.list(results, within: limit) { $1.write(to: &$0) }
    }
  }

  /// `drift?workload=NAME`: each setting of each server beside the declared file.
  func drift(_ parameters: APIParameters, _ answer: inout APIAnswer) async throws {
    let name = parameters.form.value("workload")
    if let name, !(await view.names().contains(name)) { throw Self.unknownWorkload(name, parameters) }
    let results = await view.drifts(ofWorkload: name).flatMap(\.results)
    let limit = answer.limit
    try answer.data.object { json throws(APIError) in
      json.key("results")
      try json.list(results, within: limit) { $1.write(to: &$0) }
    }
  }

  static func unknownWorkload(_ name: String, _ parameters: APIParameters) -> APIError {
    APIError(.notFound, "there is no workload \(parameters.shown(name)); all are at \(HTTPAPI.prefix)fleet")
  }

  /// The most findings and alerts of one workload that are listed, the worst first.
  static let findingLimit = 200

  private func write(
    _ workloads: [WorkloadStanding], _ foreign: [ForeignWorkload], _ shards: [OtherShards.Standing],
    to answer: inout APIAnswer
  ) throws(APIError) {
    for one in workloads {
      for (what, count) in [("findings", one.overview.findings.count), ("alerts", one.alerts.count)]
      where count > Self.findingLimit {
        answer.warn("\(count - Self.findingLimit) further \(what) of \(one.overview.name) are not listed")
      }
    }
    let limit = answer.limit
    let now = WallTime.now
    let sentence = FleetSentence(
      workloads.map { $0.spoken(at: now) } + foreign.map { TopologyPage.Workload($0, now: now).standing })
    let share = others.share()
    let listed =
      (workloads.map { (name: $0.overview.name, own: Optional($0), foreign: ForeignWorkload?.none) }
      + foreign.map { (name: $0.name, own: nil, foreign: $0) }).sorted { $0.name < $1.name }
    try answer.data.object { json throws(APIError) in
      json.field("summary", shown: sentence.text)
      json.key("workloads")
      try json.list(listed, within: limit) { json, one in
        if let own = one.own { Self.write(own, now: now, share?.shard, to: &json) }
        one.foreign?.write(to: &json)
      }
      json.key("undelivered")
      json.array { json in
        for state in deliveries() where state.trouble != nil { NotificationAnswers.write(state, to: &json) }
      }
      guard let share else { return }
      json.field("shard", share.shard.index)
      json.field("shards", share.shard.count)
      json.key("others")
      Self.write(shards, to: &json)
    }
  }

  private static func write(_ standing: WorkloadStanding, now: WallTime, _ shard: Shard?, to json: inout JSONWriter) {
    let overview = standing.overview
    json.object { json in
      json.field("name", overview.name)
      json.field("state", standing.state.rawValue)
      if let shard { json.field("shard", shard.index) }
      json.field("since", at: standing.since)
      json.field("stateByChecks", overview.health.state.rawValue)
      json.field("kind", overview.kind)
      json.field("topology", overview.topology)
      if let environment = overview.environment { json.field("environment", environment) }
      if let degraded = overview.degraded {
        json.key("degraded")
        json.object { json in
          json.field("onRedisLoss", degraded.choice.rawValue)
          if let note = degraded.note { json.field("note", shown: note) }
          json.field("text", shown: degraded.sentence)
        }
      }
      json.key("windows")
      json.strings(overview.windows.map(\.name))
      if let change = overview.change {
        json.key("change")
        json.object { json in
          json.field("from", at: change.from)
          json.field("until", at: change.until)
          json.field("text", shown: change.text)
        }
      }
      json.field("membersPresent", overview.presentCount)
      if let count = overview.expectedCount { json.field("membersExpected", count) }
      if let failovers = overview.failovers {
        json.key("failovers")
        write(failovers, to: &json)
      }
      json.key("traffic")
      write(overview.traffic, to: &json)
      if let ratio = overview.ttlCrowdingRatio { json.field("ttlCrowdingRatio", ratio) }
      json.key("budgets")
      json.array { json in for budget in overview.budgets { BudgetAnswers.write(budget, to: &json) } }
      json.key("members")
      json.array { json in
        for group in overview.groups {
          for member in group.members { write(member, in: group.title, now: now, to: &json) }
        }
      }
      json.key("findings")
      json.array { json in for finding in overview.findings.prefix(findingLimit) { write(finding, to: &json) } }
      json.key("unknown")
      json.array { json in for blindness in overview.unknowns.prefix(findingLimit) { write(blindness, to: &json) } }
      json.key("alerts")
      json.array { json in for alert in standing.alerts.prefix(findingLimit) { write(alert, to: &json) } }
    }
  }

  private static func write(_ failovers: WorkloadOverview.Failovers, to json: inout JSONWriter) {
    json.object { json in
      json.field("count", failovers.count)
      if let time = failovers.lastTime { json.field("last", at: time) }
      if let text = failovers.last { json.field("summary", shown: text) }
      json.fields(of: failovers.lastCost)
    }
  }

  /// What is not known, and objectives that are off, are left out.
  private static func write(_ traffic: WorkloadTraffic, to json: inout JSONWriter) {
    let numbers: [(String, Double?)] = [
      ("operationsPerSecond", traffic.operationsPerSecond), ("hitRatio", traffic.hitRatio),
      ("hitRatioObjective", traffic.hitRatioObjective), ("latencyP99Seconds", traffic.latencyP99Seconds),
      ("latencyObjectiveSeconds", traffic.latencyObjectiveSeconds), ("memoryUsedRatio", traffic.memoryUsedRatio),
      ("memoryObjectiveRatio", traffic.memoryObjectiveRatio), ("lagSeconds", traffic.lagSeconds),
      ("lagObjectiveSeconds", traffic.lagObjectiveSeconds), ("evictionsPerSecond", traffic.evictionsPerSecond),
      ("clientsUsedRatio", traffic.clientsUsedRatio), ("eventLoopBusyRatio", traffic.eventLoopBusyRatio),
    ]
    json.object { json in
      for (name, value) in numbers { if let value { json.field(name, value) } }
      if let bytes = traffic.usedMemoryBytes { json.field("memoryUsedBytes", bytes) }
      if let isAllowed = traffic.areEvictionsAllowed { json.field("evictionsAllowed", isAllowed) }
      if let count = traffic.clientCount { json.field("clients", count) }
    }
  }

  private static func write(
    _ member: WorkloadOverview.Member, in group: String, now: WallTime, to json: inout JSONWriter
  ) {
    let watched = member.watched
    let newest = watched.node.poller.newest
    json.object { json in
      json.field("instance", shown: watched.instance)
      // What does not answer has the role that it had.
      json.field("role", watched.role.rawValue)
      json.field("state", newest?.state.name ?? "unknown")
      if let message = newest?.state.error?.message { json.field("reason", shown: message) }
      if let standing = watched.standing { json.field("standing", standing) }
      if !group.isEmpty { json.field("group", group) }
      if let success = newest?.lastSuccess { json.field("lastAnswer", at: success) }
      if let lag = member.lag {
        json.field("lagSeconds", lag.seconds)
        json.field("lagState", lag.state.rawValue)
        if let time = member.lagAsOf { json.field("lagAsOf", at: time) }
      }
      if let time = watched.figuresAsOf(now: now) { json.field("asOf", at: time) }
      if let bytes = member.usedMemoryBytes { json.field("memoryUsedBytes", bytes) }
      if let bytes = member.maxMemoryBytes { json.field("memoryMaxBytes", bytes) }
      if let rate = member.operationsPerSecond { json.field("operationsPerSecond", rate) }
      if let count = member.clientCount { json.field("clients", count) }
    }
  }

  private static func write(_ finding: Finding, to json: inout JSONWriter) {
    json.object { json in
      json.field("check", finding.check)
      json.field("severity", finding.severity.name)
      json.field("group", finding.group.rawValue)
      write(finding.subject, to: &json)
      json.field("text", shown: finding.text)
      json.field("since", at: finding.since)
    }
  }

  private static func write(_ blindness: Blindness, to json: inout JSONWriter) {
    json.object { json in
      json.field("check", blindness.check)
      json.field("group", blindness.group.rawValue)
      write(blindness.subject, to: &json)
      json.field("reason", shown: blindness.reason)
    }
  }

  private static func write(_ subject: Finding.Subject, to json: inout JSONWriter) {
    let (kind, name): (String, String?) =
      switch subject {
      case .workload: ("workload", nil)
      case .node(let name): ("node", name)
      case .shard(let name): ("shard", name)
      case .keys(let name): ("keys", name)
      }
    json.key("subject")
    json.object { json in
      json.field("kind", kind)
      if let name { json.field("name", shown: name) }
    }
  }

  private static func write(_ alert: WorkloadAlert, to json: inout JSONWriter) {
    json.object { json in
      json.field("name", shown: alert.name)
      json.field("severity", shown: alert.severity)
      json.field("group", alert.group.rawValue)
      json.field("state", "firing")
      json.field("since", at: alert.since)
      if let instance = alert.instance { json.field("instance", shown: instance) }
      json.field("summary", shown: alert.summary)
    }
  }
}

extension JSONWriter {
  /// The most of one text of servers or rules that is shown, in characters.
  private static let shownLimit = 600

  /// Text that is not our own, as pages show it: without secrets, and cut.
  mutating func field(_ name: String, shown text: String) {
    let text = KnownSecrets.masked(text, sparesWords: true)
    field(name, text.count > Self.shownLimit ? text.prefix(Self.shownLimit - 1) + "…" : text)
  }

  /// What a failover cost, as far as it is known.
  mutating func fields(of cost: Failover.Cost) {
    if let seconds = cost.outageSeconds { field("outageSeconds", seconds) }
    for (name, loss) in [("lostBytes", cost.lostBytes), ("lostWrites", cost.lostWrites)] {
      guard let loss else { continue }
      key(name)
      object { loss.write(to: &$0) }
    }
  }

  mutating func field(_ name: String, at time: WallTime) { field(name, atMilliseconds: time.epochMs) }
}
