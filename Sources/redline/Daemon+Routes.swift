import API
import Alerting
import Config
import Fleet
import Metrics
import NIOCore
import Redis
import Runtime
import Web

extension Daemon {
  /// Everything that the daemon answers, in one list.
  var routes: [Route] {
    let metrics = MetricsEndpoint(openMetricsEnabled: options.web.isOpenMetricsEnabled) { context in
      await page(of: node, context)
    }
    var routes = [
      Route(options.web.telemetryPath) { request in await metricsResponse(request, metrics) },
      Route("/health") { _ in health.response(complaints) },
      Route("/-/healthy") { _ in health.response(complaints) },
      Route("/-/ready") { _ in await ready() },
      Route(anyMethod: "/-/reload") { _ in await reloads.respond { await reloadResponse() } },
      Route("/sd") { _ in await serviceDiscovery() },
      Route("/discover-cluster-nodes") { _ in await discoverClusterNodes() },
    ]
    if options.web.isScrapeEnabled {
      routes.append(Route("/scrape") { request in await scrape(request, metrics) })
    }
    let api = api
    return routes + pages(api).routes + (api?.routes ?? [])
  }

  /// What is wrong outside of this process and makes it fail its task.
  private var complaints: [String] { configured?.notifier.deliveries.compactMap(\.complaint) ?? [] }

  /// The pages, with what fills them.
  private func pages(_ api: HTTPAPI?) -> Pages {
    let rules = configured?.rules
    let subject: Pages.Subject =
      if let configured { .fleet(FleetView(configured)) } else if let node {
        .server(node, maxAge: TimeAmount(options.web.maxAge))
      } else { .nothing }
    return Pages(
      version: BuildInfo.version, metricsPath: options.web.telemetryPath, namespace: options.export.namespace,
      subject: subject, groups: { rules?.engine.groups ?? [] },
      store: { rules?.isOn ?? false ? rules?.engine.series : nil }, events: configured?.events,
      api: api)
  }

  /// `/metrics`, or of `?workload=` those workloads alone.
  private func metricsResponse(_ request: Request, _ metrics: MetricsEndpoint) async -> Response {
    let names = Set(request.queryValues("workload"))
    guard !names.isEmpty else { return await metrics.respond(to: request) }
    guard let configured else { return .text("?workload= needs a fleet: start with --config.file\n", status: 400) }
    let config = configured.runningConfiguration
    let problems = names.sorted().compactMap { WorkloadSeries.problem($0, config) }
    guard problems.isEmpty else {
      return .text(problems.prefix(10).map { "\($0)\n" }.joined(), status: 400)
    }
    let page = WorkloadSeries.part(fleetPage(configured), of: names, config)
    return await metrics.respond(to: request, with: metricsPage(page, ScrapeContext(request)))
  }

  private func fleetPage(_ configured: ConfiguredFleet) -> Registry.Page {
    WorkloadSeries.limited(
      configured.registry.page(), configured.runningConfiguration, Exposition(namespace: options.export.namespace))
  }

  /// The page of a node, as fresh as `web.max-age` asks or as the scraper's deadline allows.
  private func page(of node: Node?, _ context: ScrapeContext) async -> MetricsPage {
    let page: Registry.Page
    if let node {
      let maxAge = TimeAmount(options.web.maxAge)
      page = await node.page(since: .now() - maxAge, until: context.deadline.map(NIODeadline.init))
    } else if let configured {
      page = fleetPage(configured)
    } else {
      page = Registry(live: ExporterFamilies.sources(options.export, scrapeErrors, withProcess: true)).page()
    }
    return metricsPage(page, context)
  }

  private func metricsPage(_ page: Registry.Page, _ context: ScrapeContext) -> MetricsPage {
    let names = context.names.isEmpty ? nil : Set(context.names)
    let namespace = options.export.namespace
    return MetricsPage(
      generation: page.generation, sampleCount: page.sampleCount, isSharedWhileRendered: configured != nil
    ) { format, flush in
      Exposition(
        format: format == .openMetrics ? .openMetrics : .text, namespace: namespace, names: names
      ).write(page.sources, to: flush)
    }
  }

  private func scrape(_ request: Request, _ metrics: MetricsEndpoint) async -> Response {
    let scrape: ScrapeRequest
    do throws(ScrapeRequest.Refusal) {
      scrape = try ScrapeRequest(request)
    } catch {
      return refuse(error.message, status: 400)
    }
    guard options.web.scrapeHosts.allows(scrape.address.endpoint) else {
      return refuse(
        "the target is not among those that --scrape.allow lists; list its host (or socket path) there", status: 403)
    }
    if let member = await member(scrape) {
      // What the breaker leaves alone is never waited for.
      let context = ScrapeContext(request)
      let page =
        if member.isLeftAlone { metricsPage(member.node.registry.page(), context) } else {
          await page(of: member.node, context)
        }
      return await metrics.respond(to: request, with: page)
    }
    let node: Node
    do {
      guard let open = try await targets.node(for: scrape) else {
        return .text("the exporter is stopping\n", status: 503)
      }
      node = open
    } catch {
      return refuse("\(error)", status: 400)
    }
    let context = ScrapeContext(request)
    if scrape.hasKeyWork || !options.keys.isEmpty {
      let patience = NIODeadline.now() + TimeAmount(options.redis.deadline)
      await node.firstKeyWork(until: context.deadline.map(NIODeadline.init) ?? patience)
    }
    return await metrics.respond(to: request, with: page(of: node, context))
  }

  private func refuse(_ message: String, status: Int) -> Response {
    scrapeErrors.add()
    return .text(message + "\n", status: status)
  }

  private func ready() async -> Response {
    let nodes = if let configured { await configured.fleet.members().map(\.node) } else { [node].compactMap { $0 } }
    let hasPolled = nodes.contains { $0.poller.newest != nil }
    // A shard may have nothing to watch.
    let isWatching = node != nil || configured?.runningConfiguration.workloads.isEmpty == false
    guard !hasPolled, isWatching else { return .text("ready") }
    return .text("no poll has ended yet\n", status: 503)
  }

  private func reloadResponse() async -> Response {
    guard configured != nil || credentials.isReloadable || options.web.configFile != nil || options.web.tls != nil
    else {
      return .text("There is no pwd file specified\n", status: 400)
    }
    if let problem = await reload() { return .text("failed to reload: \(problem)\n", status: 500) }
    return .text("ok")
  }
}

extension ScrapeRequest {
  /// Whether the request asks for work on keys.
  var hasKeyWork: Bool {
    [overrides.keys, overrides.singleKeys, overrides.streams, overrides.singleStreams, overrides.counts]
      .contains { $0 != nil }
  }
}

extension NIODeadline {
  /// The same moment on the event loops' clock.
  init(_ instant: ContinuousClock.Instant) {
    let distance = instant - .now
    self = .now() + TimeAmount(distance)
  }
}

extension Daemon {
  /// The nodes of the cluster that the configured target belongs to, as Prometheus http_sd takes them.
  func discoverClusterNodes() async -> Response {
    guard options.redis.isCluster, let text = options.redis.address, let address = try? RedisAddress(text) else {
      return .text("The discovery endpoint is only available on a redis cluster\n", status: 400)
    }
    let deadline = NIODeadline.now() + TimeAmount(options.redis.deadline)
    let connection: Connection
    do throws(RedisError) {
      connection = try await Connection.open(
        factory.connection(address, isTrusted: true), in: factory.context, deadline: deadline)
    } catch {
      return .text("Couldn't connect to redis cluster: \(error)\n", status: 500)
    }
    defer { connection.close() }
    let command: Command = ["CLUSTER", "NODES"]
    let exchange = await connection.send(CommandBatch([command]), deadline: deadline)
    guard exchange.replies.count == 1, exchange.replies[0].kind == .string,
      let bytes = exchange.replies[0].bytes
    else {
      let reason =
        exchange.failure ?? exchange.replies.replies(in: 0..<1).first.map { RedisError(reply: $0, to: command) }
      return .text("Failed to fetch cluster nodes: \(reason?.description ?? "no answer")\n", status: 500)
    }
    let scheme = address.usesTLS ? "rediss" : "redis"
    let targets = ClusterNodes(bytes).nodes.map { node in
      let name = options.redis.areHostnamesDiscovered ? node.hostname ?? node.host : node.host
      return "\(scheme)://\(Endpoint.tcp(host: name, port: node.port))"
    }
    var json = JSONWriter(layout: .indented)
    json.array { json in
      json.object { json in
        json.key("targets")
        json.strings(targets)
        json.key("labels")
        json.object { _ in }
      }
    }
    json.verbatim("\n")
    return .json(json.bytes)
  }
}
