import Alerting
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
    /// Since when the samples of a metric are kept, in milliseconds since 1970: not longer than its history goes, nor than
    /// the daemon and what the last run left are old. The name is empty for what may be any metric. Nil when nothing is
    /// missing.
    var heldSinceMilliseconds: @Sendable (_ name: String) -> Int64?

    public init(
      store: SeriesStore, isOn: @escaping @Sendable () -> Bool, settings: @escaping @Sendable () -> Settings,
      groups: @escaping @Sendable () -> [GroupState], alertmanagerURLs: @escaping @Sendable () -> [String],
      heldSinceMilliseconds: @escaping @Sendable (_ name: String) -> Int64?
    ) {
      self.store = store
      self.isOn = isOn
      self.settings = settings
      self.groups = groups
      self.alertmanagerURLs = alertmanagerURLs
      self.heldSinceMilliseconds = heldSinceMilliseconds
    }
  }

  /// What the configuration says of queries.
  public struct Settings: Sendable {
    var options = QueryOptions()
    var dialect = Dialect.prometheus3
    /// Of rule groups that name none.
    var ruleIntervalMilliseconds: Int64 = 60_000

    init() {}

    public init(dialect: Dialect, ruleIntervalMilliseconds: Int64) {
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
  /// Every server that is polled.
  var targets: @Sendable () async -> [Target]
  /// The configuration that runs, as YAML; secrets hidden.
  var configurationText: @Sendable () -> String
  var limits = Limits()
  var nowMilliseconds = { @Sendable () -> Int64 in WallTime.now.epochMs }
  let gate: QueryGate
  /// What all that queries may hold together; rules take theirs elsewhere.
  let memory = QueryMemory()

  public init(
    program: Program, judging: Judging, fleet: FleetView, events: EventStore?,
    targets: @escaping @Sendable () async -> [Target],
    configurationText: @escaping @Sendable () -> String
  ) {
    self.init(
      program: program, judging: judging, fleet: fleet, events: events, targets: targets,
      configurationText: configurationText, gate: QueryGate())
  }

  /// - Parameter gate: shared by all that queries; one for the process, since its threads are.
  init(
    program: Program, judging: Judging, fleet: FleetView, events: EventStore?,
    targets: @escaping @Sendable () async -> [Target],
    configurationText: @escaping @Sendable () -> String, gate: QueryGate
  ) {
    self.program = program
    self.judging = judging
    fleetView = fleet
    self.events = events
    self.targets = targets
    self.configurationText = configurationText
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

  /// Every path under `/api/v1/`. What is read by GET can be read by POST with a form.
  public var routes: [Route] {
    let queries = QueryAnswers(judging: judging, limits: limits)
    let series = SeriesAnswers(store: judging.store)
    let rules = RuleAnswers(judging: judging)
    let targets = TargetAnswers(all: targets, families: program.metadata)
    let status = StatusAnswers(program: program, store: judging.store, configurationText: configurationText)
    let fleet = FleetAnswers(view: fleetView)
    return [
      route("query", .queries, queries.query), route("query_range", .queries, queries.queryRange),
      route("query_exemplars", .compute, queries.exemplars), route("format_query", .compute, queries.formatQuery),
      route("parse_query", .compute, SyntaxAnswers.parseQuery),
      route("series", .queries, series.series), route("labels", .queries, series.labelNames),
      route(under: "label/", .queries, series.labelValues), route("metadata", .compute, targets.metadata),
      route("rules", .compute, rules.rules), route("alerts", .compute, rules.alerts),
      route("alertmanagers", .compute, rules.alertmanagers), route("targets", .compute, targets.targets),
      route("targets/metadata", .compute, targets.targetMetadata),
      route("status/buildinfo", .compute, status.buildInfo), route("status/runtimeinfo", .compute, status.runtimeInfo),
      route("status/config", .compute, status.configuration), route("status/flags", .compute, status.flags),
      route("status/tsdb", .queries, status.storeStatistics),
      route("fleet", .compute, needsRules: false, fleet.fleet),
      route(under: "fleet/", .compute, needsRules: false, fleet.workload),
      route("checks", .compute, needsRules: false, fleet.checks),
      route("events", .compute, needsRules: false, EventAnswers(store: events).events),
      Route(under: Self.prefix, methods: Method.allCases) { request in
        APIError(.notFound, "there is no \(request.path.prefix(200)) here").response
      },
    ]
  }

  private static let methods: [Method] = [.get, .head, .post]

  /// - Parameter needsRules: whether there is an answer only with rules or a history.
  private func route(
    _ path: String, _ place: Place, needsRules: Bool = true, _ handler: @escaping Handler
  ) -> Route {
    Route(Self.prefix + path, methods: Self.methods) { request in
      await respond(to: request, at: place, needsRules: needsRules, handler)
    }
  }

  private func route(
    under path: String, _ place: Place, needsRules: Bool = true, _ handler: @escaping Handler
  ) -> Route {
    Route(under: Self.prefix + path, methods: Self.methods) { request in
      await respond(
        to: request, rest: request.rest(under: Self.prefix + path) ?? "", at: place, needsRules: needsRules, handler)
    }
  }

  /// A query that has held as much leaves enough behind to be worth the milliseconds of giving it back.
  private static let largeQueryBytes = 16 << 20

  private func respond(
    to request: Request, rest: String = "", at place: Place, needsRules: Bool, _ handler: @escaping Handler
  ) async -> Response {
    guard judging.isOn() || !needsRules else {
      return APIError(
        .notFound, "no rules are evaluated and no history is kept: name rules or a history in the configuration file"
      ).response
    }
    do {
      let parameters = try APIParameters(
        form: Form(request), rest: rest, settings: judging.settings(), nowMilliseconds: nowMilliseconds(),
        longestSeconds: limits.seconds)
      let work = { @Sendable () async throws -> Response in
        let reservation = QueryReservation(memory)
        defer { if reservation.peakBytes >= Self.largeQueryBytes { program.giveBackMemory() } }
        var answer = APIAnswer(limitBytes: limits.answerBytes, reservation: reservation)
        try await handler(parameters, &answer)
        return try answer.response()
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
