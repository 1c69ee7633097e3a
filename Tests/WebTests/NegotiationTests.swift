import TestSupport
import Testing

@testable import Web

@Suite struct NegotiationTests {
  @Test(
    arguments: [
      (nil, PageFormat.text),
      ("", .text),
      ("*/*", .text),
      ("application/openmetrics-text", .openMetrics),
      ("application/openmetrics-text;version=1.0.0,text/plain", .text),
      ("application/openmetrics-text; version=1.0.0; q=0.5, text/plain;version=0.0.4;q=0.3, */*;q=0.1", .openMetrics),
      ("application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", .text),
      ("application/openmetrics-text;version=1.0.0;q=0.2,text/plain;version=0.0.4;q=0.3", .text),
      ("application/openmetrics-text;version=1.0.0;q=0", .text),
      ("APPLICATION/OpenMetrics-Text ; VERSION=\"1.0.0\" ; Q=0.9", .openMetrics),
      ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited", .text),
      ("application/openmetrics-text;version=1.0.0;q=2", .text),
      ("application/openmetrics-text;version=1.0.0;q=0.1234", .text),
    ] as [(String?, PageFormat)])
  func formats(accept: String?, format: PageFormat) {
    #expect(PageFormat.negotiated(accept: accept, openMetricsEnabled: true) == format)
    #expect(PageFormat.negotiated(accept: accept, openMetricsEnabled: false) == .text)
  }

  @Test(
    arguments: [
      (nil, ContentEncoding.identity), ("", .identity), ("gzip", .gzip), ("GZip", .gzip), ("x-gzip", .gzip),
      ("gzip;q=0", .identity), ("gzip; q=0.0", .identity), ("*", .gzip), ("*;q=0", .identity),
      ("gzip;q=0,*", .identity), ("identity", .identity), ("identity, gzip", .gzip),
      ("identity;q=0.5, gzip;q=0.4", .identity), ("identity;q=0", .identity), ("deflate, br, zstd", .identity),
      ("deflate, gzip;q=1.0, *;q=0.5", .gzip), ("gzip;q=0.001", .gzip), ("gzip;q=x", .identity),
    ] as [(String?, ContentEncoding)])
  func encodings(header: String?, encoding: ContentEncoding) {
    #expect(ContentEncoding.negotiated(acceptEncoding: header) == encoding)
  }

  @Test(arguments: [
    ("/a", "/a", []), ("/a%2Fb+c", "/a/b+c", []), ("/?x=1&y&=z&x=%41+b", "/", ["x=1", "y=", "=z", "x=A b"]),
    ("http://host:1/p?q=%zz", "/p", ["q=%zz"]), ("http://host?q=1", "/", ["q=1"]), ("", "/", []),
    ("?a=b=c", "/", ["a=b=c"]),
    ("/%", "/%", []), ("/%E4%B8%AD", "/中", []), ("*", "*", []),
  ])
  func targets(target: String, path: String, items: [String]) {
    let parsed = RequestTarget(target)
    #expect(parsed?.path == path)
    #expect(parsed?.query.map { "\($0.name)=\($0.value)" } == items)
  }

  @Test func targetsWithTooManyArgumentsAreNone() {
    let items = Array(repeating: "a=b", count: RequestTarget.itemLimit)
    #expect(RequestTarget("/?" + items.joined(separator: "&"))?.query.count == items.count)
    #expect(RequestTarget("/?" + (items + ["c"]).joined(separator: "&")) == nil)
  }

  @Test(
    arguments: [
      ("10", 9.5), ("1", 0.75), ("0.4", 0.3), ("0", nil), ("-1", nil), ("x", nil), ("nan", nil), ("inf", nil),
      ("1e9", nil),
    ] as [(String, Double?)])
  func scrapeDeadlines(header: String, seconds: Double?) {
    let now = ContinuousClock.now
    let request = Request(path: "/", headers: [.init(name: "x-prometheus-scrape-timeout-seconds", value: header)])
    #expect(ScrapeContext(request, now: now).deadline == seconds.map { now + .seconds($0) })
  }

  /// Whatever is sent, the parsers neither trap nor give more than they may.
  @Test func randomHeaders() {
    var generator = FixedRandom(state: 42)
    let alphabet = Array("gzip*identity;q=0.5,text/plain \t\"\\=Basic YWxhZGRpbjpvcGVu:é\u{0}%".unicodeScalars)
    for _ in 0..<20_000 {
      var text = ""
      for _ in 0..<Int.random(in: 0...60, using: &generator) {
        if Int.random(in: 0...9, using: &generator) == 0 {
          text.unicodeScalars.append(Unicode.Scalar(UInt8.random(in: 0...255, using: &generator)))
        } else {
          text.unicodeScalars.append(alphabet.randomElement(using: &generator)!)
        }
      }
      let list = WeightedList(text)
      #expect(list.items.count <= WeightedList.itemLimit)
      #expect(list.items.allSatisfy { (0...1000).contains($0.quality) && !$0.value.isEmpty })
      _ = PageFormat.negotiated(accept: text, openMetricsEnabled: true)
      _ = ContentEncoding.negotiated(acceptEncoding: text)
      _ = RequestTarget(text)
      if let credentials = BasicCredentials(header: "Basic " + text) {
        #expect(credentials.user.utf8.count + credentials.password.count < text.utf8.count)
      }
    }
  }
}
