import Runtime

/// Serves pages of metrics: negotiates, renders away from the event loops, caches and compresses.
public struct MetricsEndpoint: Sendable {
  public typealias Source = @Sendable (ScrapeContext) async -> MetricsPage

  private let openMetricsEnabled: Bool
  private let source: Source
  private let cache = PageCache()

  /// - Parameter source: gives the page for a scrape, as fresh as it can be had before the context's deadline.
  public init(openMetricsEnabled: Bool = false, source: @escaping Source) {
    self.openMetricsEnabled = openMetricsEnabled
    self.source = source
  }

  public func respond(to request: Request) async -> Response {
    let context = ScrapeContext(request, now: .now)
    let page = await source(context)
    return await respond(to: request, with: page, isShared: context.names.isEmpty)
  }

  /// Serves one page that was made for this request, as `/scrape` does; nothing is cached.
  public func respond(to request: Request, with page: MetricsPage) async -> Response {
    await respond(to: request, with: page, isShared: false)
  }

  private func respond(to request: Request, with page: MetricsPage, isShared: Bool) async -> Response {
    let format = PageFormat.negotiated(accept: request.header("Accept"), openMetricsEnabled: openMetricsEnabled)
    let encoding = ContentEncoding.negotiated(acceptEncoding: request.header("Accept-Encoding"))
    let body =
      isShared
      ? await cache.body(of: page, format, encoding) : await PageCache.render(page, format, encoding)
    var headers = [Request.Header(name: "Vary", value: "Accept, Accept-Encoding")]
    if encoding == .gzip { headers.append(.init(name: "Content-Encoding", value: "gzip")) }
    return Response(contentType: format.contentType, headers: headers, body: body)
  }
}

extension ScrapeContext {
  /// The context of a request to another endpoint that scrapes, such as `/scrape`.
  public init(_ request: Request) {
    self.init(request, now: .now)
  }
}

/// What a scrape asks for.
public struct ScrapeContext: Sendable {
  /// When the page must be on its way, from the scraper's own timeout less a margin; nil where it names none.
  public let deadline: ContinuousClock.Instant?
  /// The families that are wanted (`name[]`), by full name; empty for all.
  public let names: [String]

  public init(deadline: ContinuousClock.Instant? = nil, names: [String] = []) {
    self.deadline = deadline
    self.names = names
  }

  init(_ request: Request, now: ContinuousClock.Instant) {
    let timeout = request.header("X-Prometheus-Scrape-Timeout-Seconds").flatMap(Self.timeout(parsing:))
    self.init(deadline: timeout.map { now + $0 - Self.margin(of: $0) }, names: request.queryValues("name[]"))
  }

  /// Seconds as a decimal number, up to a day.
  static func timeout(parsing text: String) -> Duration? {
    guard let seconds = Double(text), seconds > 0, seconds <= 86_400 else { return nil }
    return .seconds(seconds)
  }

  /// What rendering, compression and the network take: half a second, or a quarter of a short timeout.
  static func margin(of timeout: Duration) -> Duration {
    min(.milliseconds(500), timeout / 4)
  }
}

/// A page of metrics that can be rendered, once or many times.
public struct MetricsPage: Sendable {
  /// Writes the page in a format, chunk by chunk.
  public typealias Render = @Sendable (_ format: PageFormat, _ flush: ([UInt8]) -> Void) -> Void

  /// Two pages of one generation, with no filter of names, are the same bytes.
  public let generation: UInt64
  let sampleCount: Int
  /// Whether a page whose rendering is under way serves as well, although there is something newer by now: the page of a
  /// fleet changes many times while it is rendered, and is never fresher than its polls.
  let isSharedWhileRendered: Bool
  let render: Render

  /// Up to this many samples are rendered and compressed where the request is handled: that takes about as long as two
  /// changes of thread, and no poll waits for it.
  static let smallSampleCount = 4000

  public init(
    generation: UInt64, sampleCount: Int, isSharedWhileRendered: Bool = false, render: @escaping Render
  ) {
    self.generation = generation
    self.isSharedWhileRendered = isSharedWhileRendered
    self.sampleCount = sampleCount
    self.render = render
  }

  var isSmall: Bool { sampleCount <= Self.smallSampleCount }

  /// The page as a body.
  func body(_ format: PageFormat, _ encoding: ContentEncoding) -> Payload {
    switch encoding {
    case .identity:
      var buffer = PayloadBuffer(capacity: 64 * 1024)
      render(format) { buffer.append($0) }
      return Payload(taking: buffer)
    case .gzip:
      var gzip = Gzip()
      render(format) { gzip.append($0) }
      return gzip.finish()
    }
  }
}

/// The newest rendered body of each format and encoding, shared by all who ask for it.
///
/// Requests that ask for one page at once wait for one rendering.
final class PageCache: Sendable {
  private struct Key: Hashable {
    let format: PageFormat
    let encoding: ContentEncoding
  }
  private struct Entry {
    let generation: UInt64
    /// A small body, until there is a newer one.
    private var kept: Payload?
    /// A large body is there for as long as somebody sends it: the page of a whole fleet changes before it is asked for
    /// again.
    private weak var lent: Payload?
    var rendering: Task<Payload, Never>?

    init(generation: UInt64, rendering: Task<Payload, Never>) {
      self.generation = generation
      self.rendering = rendering
    }

    init(generation: UInt64, body: Payload) {
      self.generation = generation
      if body.count <= PageCache.keptBytes { kept = body } else { lent = body }
    }

    var body: Payload? { kept ?? lent }
  }
  private static let keptBytes = 1 << 20
  private enum Found {
    case body(Payload)
    case rendering(Task<Payload, Never>)
    /// Nobody has rendered it yet, and it is quickly done.
    case small
    /// Someone has a newer page: this one is rendered for its asker alone.
    case outdated
  }
  private let entries = Lock<[Key: Entry]>([:])

  func body(of page: MetricsPage, _ format: PageFormat, _ encoding: ContentEncoding) async -> Payload {
    let key = Key(format: format, encoding: encoding)
    let found = entries.withLock { entries -> Found in
      if let entry = entries[key], entry.generation >= page.generation {
        if entry.generation > page.generation { return .outdated }
        if let body = entry.body { return .body(body) }
        if let rendering = entry.rendering { return .rendering(rendering) }
      }
      if page.isSmall { return .small }
      if page.isSharedWhileRendered, let rendering = entries[key]?.rendering { return .rendering(rendering) }
      let rendering = Task(executorPreference: WorkExecutor.compute) {
        let body = page.body(format, encoding)
        self.entries.withLock { entries in
          guard entries[key]?.generation == page.generation else { return }
          entries[key] = Entry(generation: page.generation, body: body)
        }
        return body
      }
      entries[key] = Entry(generation: page.generation, rendering: rendering)
      return .rendering(rendering)
    }
    switch found {
    case .body(let body): return body
    case .rendering(let task): return await task.value
    case .outdated: return await Self.render(page, format, encoding)
    case .small:
      let body = page.body(format, encoding)
      entries.withLock { entries in
        guard entries[key]?.generation ?? 0 < page.generation else { return }
        entries[key] = Entry(generation: page.generation, body: body)
      }
      return body
    }
  }

  /// A body that nobody shares.
  static func render(_ page: MetricsPage, _ format: PageFormat, _ encoding: ContentEncoding) async -> Payload {
    if page.isSmall { return page.body(format, encoding) }
    return await Task(executorPreference: WorkExecutor.compute) { page.body(format, encoding) }.value
  }
}
