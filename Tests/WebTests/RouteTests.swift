import Testing

@testable import Web

@Suite struct RouteTests {
  private func answer(_ path: String, method: String = "GET") async -> (status: Int, text: String) {
    let table = RouteTable([
      Route("/node/list") { _ in .text("list") },
      Route(under: "/node/") { request in .text("node " + (request.rest(under: "/node/") ?? "-")) },
      Route(under: "/node/old/", methods: [.post]) { _ in .text("old") },
      Route(under: "/node/") { _ in .text("too late") },
    ])
    let response = await table.respond(to: Request(method: method, path: path))
    return (response.status, String(decoding: response.body.bytes, as: UTF8.self))
  }

  @Test(arguments: [
    ("/node/list", "list"), ("/node/a", "node a"), ("/node/a/b", "node a/b"), ("/node/", "node "),
    ("/node/listing", "node listing"), ("/node/old", "node old"), ("/node/é\u{0}", "node é\u{0}"),
  ])
  func theMostExactRouteAnswers(path: String, text: String) async {
    #expect(await answer(path) == (200, text))
  }

  @Test func otherPathsAreNotFound() async {
    for path in ["/node", "/nod", "/", "/x/node/a", ""] { #expect(await answer(path).status == 404, "\(path)") }
  }

  @Test func methodsAreThoseOfTheMostExactRoute() async {
    #expect(await answer("/node/old/x").status == 405)
    #expect(await answer("/node/old/x", method: "POST") == (200, "old"))
    #expect(await answer("/node/a", method: "POST").status == 405)
  }

  @Test func onlyOneMethodOfARouteIsLetInByItself() async {
    let table = RouteTable([
      Route("/results", methods: [.get, .post]) { _ in .text("") }.open(to: { _ in false }, headers: { _ in [] })
        .judgingItself(.post),
      Route("/open", methods: [.get, .post]) { _ in .text("") }.judgingItself(.post)
        .open(to: { _ in false }, headers: { _ in [] }),
      Route("/other", methods: [.get, .post]) { _ in .text("") },
    ])
    func judges(_ path: String, _ method: String) -> Bool { table.judgesItself(Request(method: method, path: path)) }
    #expect(judges("/results", "POST") && judges("/open", "POST"))
    for (path, method) in [("/results", "GET"), ("/results", "PUT"), ("/other", "POST"), ("/results/x", "POST")] {
      #expect(!judges(path, method), "\(method) \(path)")
    }
  }

  // MARK: Forms

  private func form(
    _ body: [UInt8], type: String? = "application/x-www-form-urlencoded"
  ) throws(Form.Refusal) -> [String] {
    let request = Request(
      method: "POST", path: "/", query: [.init(name: "a", value: "query")],
      headers: type.map { [.init(name: "content-type", value: $0)] } ?? [], body: body)
    return try Form(request).items.map { "\($0.name)=\($0.value)" }
  }

  @Test(arguments: [
    ("a=1&b=2", ["a=1", "b=2"]), ("a=x+y%2Bz%26", ["a=x y+z&"]),
    ("match%5B%5D=%7Ba%3D%22b%22%7D", ["match[]={a=\"b\"}"]),
    ("a", ["a="]), ("&&a=&", ["a="]), ("a=%zz%", ["a=%zz%"]), ("a=%ff", ["a=\u{FFFD}"]),
  ])
  func bodiesComeBeforeTheQuery(body: String, items: [String]) throws {
    #expect(try form(Array(body.utf8)) == items + ["a=query"])
  }

  @Test func withoutABodyTheTypeDoesNotMatter() throws {
    #expect(try form([], type: "application/json") == ["a=query"])
    #expect(try form([], type: nil) == ["a=query"])
  }

  @Test(arguments: [nil, "application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencodedx"])
  func otherTypesAreRefused(type: String?) {
    let refusal = #expect(throws: Form.Refusal.self) { try form(Array("a=1".utf8), type: type) }
    #expect(refusal?.status == 415)
    #expect(refusal?.message.contains("application/x-www-form-urlencoded") == true)
  }

  @Test func typesAreReadAsHTTPSays() throws {
    let type = "Application/X-WWW-Form-Urlencoded ; charset=utf-8"
    #expect(try form(Array("a=1".utf8), type: type) == ["a=1", "a=query"])
  }

  @Test func brokenAndLongBodiesAreRefused() {
    #expect(throws: Form.Refusal.self) { try form([0x61, 0x3D, 0xFF]) }
    let most = (0..<Form.itemLimit).map { "a=\($0)" }.joined(separator: "&")
    #expect(throws: Never.self) { try form(Array(most.utf8)) }
    let refusal = #expect(throws: Form.Refusal.self) { try form(Array((most + "&b=1").utf8)) }
    #expect(refusal?.status == 400)
  }
}
