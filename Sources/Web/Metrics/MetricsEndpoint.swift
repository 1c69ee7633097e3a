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
