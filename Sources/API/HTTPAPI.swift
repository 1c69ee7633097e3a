import Alerting
import Fleet
import PromQL
import Runtime
import Storage
import Web

/// The HTTP API: Prometheus' own, so that Grafana, promtool and scripts take Redline for a Prometheus, and beside it what
/// the pages show of the fleet.
///
/// What changes while the daemon runs is asked for by closures at every request.
public struct HTTPAPI: Sendable {
  /// What one request may cost.
  struct Limits: Sendable {
    /// Waiting included. Shorter than the web server's own deadline, which knows no error envelope.
    var seconds = 20.0
    /// Samples read and values computed by one query.
    var samples = 10_000_000
    /// The steps of one range query, as in Prometheus.
    var steps = 11_000
    var answerBytes = 64 << 20
  }

  /// The program that answers.
  public struct Program: Sendable {
    var version: String
    /// What it is built with.
    var compiler: String
    /// When it started, in milliseconds since 1970.
    var startMilliseconds: Int64
    /// Its settings by name; secrets hidden.
    var flags: [String: String]
    /// The metric families that it can export.
    var metadata: [Metadata]
    /// Gives memory that is free back to the system, after a query that took much.
    var giveBackMemory: @Sendable () -> Void

    public init(
      version: String, compiler: String, startMilliseconds: Int64, flags: [String: String], metadata: [Metadata],
      giveBackMemory: @escaping @Sendable () -> Void
    ) {
      self.version = version
      self.compiler = compiler
      self.startMilliseconds = startMilliseconds
      self.flags = flags
      self.metadata = metadata
      self.giveBackMemory = giveBackMemory
    }
  }

  /// The rules and the samples that they are evaluated over.
  public struct Judging: Sendable {
    let store: SeriesStore
    /// Whether the configuration has rules or a history: without them these answers are errors.
    var isOn: @Sendable () -> Bool
    var settings: @Sendable () -> Settings
    var groups: @Sendable () -> [GroupState]
    /// Where alerts are posted, without a password: `http://localhost:9093/api/v2/alerts`.
    var alertmanagerURLs: @Sendable () -> [String]
    /// Whether alerts reach each Alertmanager.
    var deliveries: @Sendable () -> [DeliveryState]
    /// What each Alertmanager makes of its alerts.
    var alertmanagerViews: @Sendable () async -> [AlertmanagerView]
    /// Since when the samples of a metric are kept, in milliseconds since 1970: not longer than its history goes, nor than
    /// the daemon and what the last run left are old. The name is empty for what may be any metric. Nil when nothing is
    /// missing.
    var heldSinceMilliseconds: @Sendable (_ name: String) -> Int64?

    public init(
      store: SeriesStore, isOn: @escaping @Sendable () -> Bool, settings: @escaping @Sendable () -> Settings,
      groups: @escaping @Sendable () -> [GroupState], alertmanagerURLs: @escaping @Sendable () -> [String],
      deliveries: @escaping @Sendable () -> [DeliveryState] = { [] },
      alertmanagerViews: @escaping @Sendable () async -> [AlertmanagerView] = { [] },
      heldSinceMilliseconds: @escaping @Sendable (_ name: String) -> Int64?
    ) {
      self.store = store
      self.isOn = isOn
      self.settings = settings
      self.groups = groups
      self.alertmanagerURLs = alertmanagerURLs
      self.deliveries = deliveries
      self.alertmanagerViews = alertmanagerViews
      self.heldSinceMilliseconds = heldSinceMilliseconds
    }
  }

  /// What the configuration says of queries.
  public struct Settings: Sendable {
    var options = QueryOptions()
    var dialect = Dialect.prometheus3
    /// Of rule groups that name none.
    var ruleIntervalMilliseconds: Int64 = 60_000
    /// Where people find this program's pages; empty where that is not known.
    var externalURL = ""

    init() {}

    public init(dialect: Dialect, ruleIntervalMilliseconds: Int64, externalURL: String = "") {
      self.externalURL = externalURL
      self.dialect = dialect
      self.ruleIntervalMilliseconds = ruleIntervalMilliseconds
      options.subqueryStepMilliseconds = ruleIntervalMilliseconds
    }
  }

  var program: Program
  var judging: Judging
  var fleetView: FleetView
  /// Nil without storage.path.
  let events: EventStore?
  let notifications: NotificationStore?
  /// Nil where no evidence is gathered.
  var evidence: EvidenceGatherer?
  /// Every server that is polled.
  var targets: @Sendable () async -> [Target]
  /// What to do about alerts.
  var runbooks = RunbookSource.empty
  /// What clients may hand in, and what they did; nil where no fleet is watched.
  var intakes: Intakes?
  /// The configuration that runs, as YAML; secrets hidden.
  var configurationText: @Sendable () -> String
  /// Which other sites' pages may read the answers; nil for none.
  let cors: CORSPolicy?
  var limits = Limits()
  var nowMilliseconds = { @Sendable () -> Int64 in WallTime.now.epochMs }
  let gate: QueryGate
  /// What all that queries may hold together; rules take theirs elsewhere.
  let memory = QueryMemory()

  public init(
    program: Program, judging: Judging, fleet: FleetView, events: EventStore?, notifications: NotificationStore?,
    evidence: EvidenceGatherer?, targets: @escaping @Sendable () async -> [Target], runbooks: RunbookSource,
    intakes: Intakes, configurationText: @escaping @Sendable () -> String, cors: CORSPolicy?
  ) {
    self.init(
      program: program, judging: judging, fleet: fleet, events: events, notifications: notifications,
      targets: targets, configurationText: configurationText, cors: cors, gate: QueryGate())
    self.runbooks = runbooks
    self.evidence = evidence
    self.intakes = intakes
  }

  /// - Parameter gate: shared by all that queries; one for the process, since its threads are.
  init(
    program: Program, judging: Judging, fleet: FleetView, events: EventStore?, notifications: NotificationStore? = nil,
    targets: @escaping @Sendable () async -> [Target],
    configurationText: @escaping @Sendable () -> String, cors: CORSPolicy? = nil, gate: QueryGate
  ) {
    self.program = program
    self.judging = judging
    fleetView = fleet
    self.events = events
    self.notifications = notifications
    self.targets = targets
    self.configurationText = configurationText
    self.cors = cors
    self.gate = gate
  }
}

// MARK: Routes

extension HTTPAPI {
  /// Works out one answer.
  typealias Handler = @Sendable (APIParameters, inout APIAnswer) async throws -> Void

  /// Where the work of an answer is done.
  enum Place {
    /// It reads many series: on one of the threads for queries, when one is free.
    case queries
    /// It is short, and does not wait for queries.
    case compute
  }

  static let prefix = "/api/v1/"

  /// Every path under `/api/v1/`.
  public var routes: [Route] {
    let queries = QueryAnswers(judging: judging, limits: limits)
    let series = SeriesAnswers(store: judging.store)
    let rules = RuleAnswers(judging: judging)
    let targets = TargetAnswers(all: targets, families: program.metadata)
    let status = StatusAnswers(program: program, store: judging.store, configurationText: configurationText)
    let fleet = FleetAnswers(view: fleetView, deliveries: judging.deliveries, others: fleetView.others)
    let books = RunbookAnswers(source: runbooks, view: fleetView)
    let gathered = EvidenceAnswers(gatherer: evidence, isStored: events != nil)
    let results = ResultAnswers(verified: intakes?.checks)
    let marks = MarkAnswers(kept: intakes?.marks, view: fleetView)
    let told = NotificationAnswers(store: notifications, events: events, deliveries: judging.deliveries)
    return [
      route("query", .queries, isForm: true, queries.query),
      route("query_range", .queries, isForm: true, queries.queryRange),
      route("query_exemplars", .compute, isForm: true, queries.exemplars),
      route("format_query", .compute, isForm: true, queries.formatQuery),
      route("parse_query", .compute, isForm: true, SyntaxAnswers.parseQuery),
      route("series", .queries, isForm: true, series.series),
      route("labels", .queries, isForm: true, series.labelNames),
      route(under: "label/", .queries, series.labelValues), route("metadata", .compute, targets.metadata),
      route("rules", .compute, rules.rules), route("alerts", .compute, rules.alerts),
      route("alertmanagers", .compute, rules.alertmanagers), route("targets", .compute, targets.targets),
      route("targets/metadata", .compute, targets.targetMetadata),
      route("status/buildinfo", .compute, status.buildInfo), route("status/runtimeinfo", .compute, status.runtimeInfo),
      route("status/config", .compute, status.configuration), route("status/flags", .compute, status.flags),
      route("status/tsdb", .queries, status.storeStatistics),
      route("fleet", .compute, isForm: true, needsRules: false, fleet.fleet),
      route(under: "fleet/", .compute, isForm: true, needsRules: false, fleet.workload),
      route("shards", .compute, isForm: true, needsRules: false, fleet.shards),
      route("checks", .compute, isForm: true, needsRules: false, fleet.checks),
      route("keys", .compute, isForm: true, needsRules: false, KeyAnswers(view: fleetView).keys),
      route("drift", .compute, isForm: true, needsRules: false, fleet.drift),
      route("budgets", .compute, isForm: true, needsRules: false, BudgetAnswers(view: fleetView).budgets),
      route("runbooks", .compute, isForm: true, needsRules: false, books.list),
      route(under: "runbooks/", .compute, isForm: true, needsRules: false, books.runbook),
      route("events", .compute, isForm: true, needsRules: false, EventAnswers(store: events).events),
      route("evidence", .compute, isForm: true, needsRules: false, gathered.list),
      route(under: "evidence/", .compute, isForm: true, needsRules: false, gathered.one),
      route("notifications", .compute, isForm: true, needsRules: false, told.notifications),
      route("annotations", .compute, isForm: true, needsRules: false, AnnotationAnswers(events: events).annotations),
      intake("results", results.take, results.list), intake("marks", marks.take, marks.list),
      open(
        Route(under: Self.prefix, methods: Method.allCases) { request in
          if request.method == Method.options.rawValue { return Self.noContent }
          return APIError(.notFound, "there is no \(request.path.prefix(200)) here").response
        }),
    ]
  }

  /// - Parameters:
  ///   - isForm: whether it is read by POST as well, as in Prometheus.
  ///   - needsRules: whether there is an answer only with rules or a history.
  private func route(
    _ path: String, _ place: Place, isForm: Bool = false, needsRules: Bool = true, _ handler: @escaping Handler
  ) -> Route {
    open(
      Route(Self.prefix + path, methods: Self.methods(isForm)) { request in
        await respond(to: request, at: place, needsRules: needsRules, handler)
      })
  }

  private func route(
    under path: String, _ place: Place, isForm: Bool = false, needsRules: Bool = true, _ handler: @escaping Handler
  ) -> Route {
    open(
      Route(under: Self.prefix + path, methods: Self.methods(isForm)) { request in
        await respond(
          to: request, rest: request.rest(under: Self.prefix + path) ?? "", at: place, needsRules: needsRules, handler)
      })
  }

  /// A path that tells by GET what is handed in to it by POST.
  private func intake(
    _ path: String, _ take: @escaping @Sendable (Request) async -> Response, _ list: @escaping Handler
  ) -> Route {
    open(
      Route(Self.prefix + path, methods: [.get, .post, .options]) { request in
        request.method == Method.post.rawValue
          ? await take(request) : await respond(to: request, at: .compute, needsRules: false, list)
      }.judgingItself(.post))
  }

  /// HEAD is none of them, as in Prometheus.
  private static func methods(_ isForm: Bool) -> [Method] { [.get, .options] + (isForm ? [.post] : []) }

  /// What OPTIONS gets: a browser asks so before it sends what another site's page wants.
  private static let noContent = Response(status: 204, contentType: "text/plain; charset=utf-8", body: [])

  /// The route for the pages of other sites that ``cors`` admits.
  private func open(_ route: Route) -> Route {
    guard let cors else { return route }
    return route.open(to: { cors.admits($0) }, headers: { cors.headers(for: $0) })
  }

  /// A query that has held as much leaves enough behind to be worth the milliseconds of giving it back.
  private static let largeQueryBytes = 16 << 20

  private func respond(
    to request: Request, rest: String = "", at place: Place, needsRules: Bool, _ handler: @escaping Handler
  ) async -> Response {
    if request.method == Method.options.rawValue { return Self.noContent }
    guard judging.isOn() || !needsRules else {
      return APIError(
        .notFound, "no rules are evaluated and no history is kept: name rules or a history in the configuration file"
      ).response
    }
    do {
      var parameters = try APIParameters(
        form: Form(request), rest: rest, settings: judging.settings(), nowMilliseconds: nowMilliseconds(),
        longestSeconds: limits.seconds)
      parameters.isLoggedIn = request.isLoggedIn
      let work = { @Sendable [parameters] () async throws -> Response in
        let reservation = QueryReservation(memory)
        defer { if reservation.peakBytes >= Self.largeQueryBytes { program.giveBackMemory() } }
        var answer = APIAnswer(limitBytes: limits.answerBytes, reservation: reservation)
        try await handler(parameters, &answer)
        return try answer.response().compressed(for: request)
      }
      switch place {
      case .queries: return try await gate.run(until: parameters.deadline, work)
      case .compute: return try await withTaskExecutorPreference(WorkExecutor.compute) { try await work() }
      }
    } catch {
      return APIError(error).response
    }
  }
}
