import Glibc
import Runtime
import Testing

@testable import Web

@Suite(.timeLimit(.minutes(1))) struct MetricsEndpointTests {
  /// Counts renderings and gives pages of as many lines as asked for.
  final class Source: Sendable {
    let renderings = Lock(0)
    let generation = Lock(UInt64(1))
    let contexts = Lock<[ScrapeContext]>([])
    let lineCount: Int

    init(lineCount: Int = 3) { self.lineCount = lineCount }

    func page(_ context: ScrapeContext) -> MetricsPage {
      contexts.withLock { $0.append(context) }
      let generation = generation.withLock { $0 }
      return MetricsPage(generation: generation, sampleCount: lineCount) { format, flush in
        self.renderings.withLock { $0 += 1 }
        for line in 0..<self.lineCount { flush(Array("line_\(line){g=\"\(generation)\"} \(line)\n".utf8)) }
        if format == .openMetrics { flush(Array("# EOF\n".utf8)) }
      }
    }

    func endpoint(openMetrics: Bool = false) -> MetricsEndpoint {
      MetricsEndpoint(openMetricsEnabled: openMetrics) { self.page($0) }
    }

    var renderingCount: Int { renderings.withLock { $0 } }
  }

  private func request(_ headers: [String: String] = [:], names: [String] = []) -> Request {
    Request(
      path: "/metrics", query: names.map { .init(name: "name[]", value: $0) },
      headers: headers.map { .init(name: $0.key, value: $0.value) })
  }

  @Test func bodiesAreSharedPerGenerationFormatAndEncoding() async {
    let source = Source()
    let endpoint = source.endpoint(openMetrics: true)
    let gzip = request(["Accept-Encoding": "gzip"])
    let openMetrics = request(["Accept": "application/openmetrics-text"])
    let first = await endpoint.respond(to: request())
    #expect(await endpoint.respond(to: request()).body === first.body)
    #expect(source.renderingCount == 1)
    #expect(first.contentType == "text/plain; version=0.0.4; charset=utf-8; escaping=underscores")
    let compressed = await endpoint.respond(to: gzip)
    #expect(await endpoint.respond(to: gzip).body === compressed.body)
    let other = await endpoint.respond(to: openMetrics)
    #expect(other.contentType.hasPrefix("application/openmetrics-text; version=1.0.0"))
    #expect(source.renderingCount == 3)
    source.generation.withLock { $0 = 2 }
    let second = await endpoint.respond(to: request())
    #expect(String(decoding: second.body.bytes, as: UTF8.self).contains("g=\"2\""))
    #expect(source.renderingCount == 4)
    // A page that was taken before the newest one is still its own.
    source.generation.withLock { $0 = 1 }
    let late = await endpoint.respond(to: request())
    #expect(String(decoding: late.body.bytes, as: UTF8.self).contains("g=\"1\""))
    source.generation.withLock { $0 = 2 }
    #expect(await endpoint.respond(to: request()).body === second.body)
  }

  @Test func requestsThatComeTogetherShareOneRendering() async {
    let source = Source(lineCount: 20_000)
    let endpoint = source.endpoint()
    await withTaskGroup(of: Int.self) { group in
      for _ in 0..<50 { group.addTask { await endpoint.respond(to: Request(path: "/metrics")).body.count } }
      let counts = await group.reduce(into: Set<Int>()) { $0.insert($1) }
      #expect(counts.count == 1)
    }
    #expect(source.renderingCount == 1)
  }

  /// The page of a fleet is never the newest for long: whoever asks while one is being rendered gets that one.
  @Test func aRenderingUnderWaySharesWhatIsNewerByThen() async {
    let calls = Lock(0)
    let renderings = Lock(0)
    let endpoint = MetricsEndpoint { _ in
      let generation = calls.withLock { calls in
        calls += 1
        return UInt64(calls)
      }
      return MetricsPage(generation: generation, sampleCount: 20_000, isSharedWhileRendered: true) { _, flush in
        renderings.withLock { $0 += 1 }
        // Long enough for the other request to be there.
        while calls.withLock({ $0 }) < 2 { usleep(1000) }
        usleep(500_000)
        flush(Array("generation \(generation)\n".utf8))
      }
    }
    let first = Task { await endpoint.respond(to: request()) }
    while renderings.withLock({ $0 }) == 0 { await Task.yield() }
    let second = await endpoint.respond(to: request())
    #expect(await first.value.body === second.body)
    #expect(renderings.withLock { $0 } == 1)
  }

  @Test func aFilterOfNamesIsPassedOnAndNotCached() async {
    let source = Source()
    let endpoint = source.endpoint()
    for _ in 0..<2 { _ = await endpoint.respond(to: request(names: ["redis_up", "redis_x"])) }
    #expect(source.renderingCount == 2)
    #expect(source.contexts.withLock { $0.map(\.names) } == [["redis_up", "redis_x"], ["redis_up", "redis_x"]])
  }

  @Test(arguments: [0, 1, 1000, 200_000]) func gzipIsUndoneByGunzip(lineCount: Int) async {
    let endpoint = Source(lineCount: lineCount).endpoint()
    let plain = await endpoint.respond(to: request())
    let compressed = await endpoint.respond(to: request(["Accept-Encoding": "gzip"]))
    #expect(compressed.headers.contains(.init(name: "Content-Encoding", value: "gzip")))
    #expect(compressed.headers.contains(.init(name: "Vary", value: "Accept, Accept-Encoding")))
    #expect(gunzip(compressed.body.bytes) == plain.body.bytes)
    // Numbers that hardly repeat: real pages come to a sixth.
    if lineCount >= 1000 { #expect(compressed.body.count * 3 < plain.body.count * 2) }
  }
}
