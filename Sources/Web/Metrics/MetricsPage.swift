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
