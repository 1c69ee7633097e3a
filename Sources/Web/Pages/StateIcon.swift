/// The icons of pages: those that tell a state carry it.
public enum StateIcon {
  private static let prefix = "/icon/"

  public static let route = Route(under: prefix) { request in
    let name = request.rest(under: prefix) ?? ""
    let state = TopologyPage.State.allCases.first { path($0) == "\(prefix)\(name)" }
    guard state != nil || path(nil) == "\(prefix)\(name)" else {
      return Response(status: 404, contentType: "text/plain; charset=utf-8", body: Array("no such icon\n".utf8))
    }
    return Response(
      status: 200, contentType: "image/svg+xml",
      headers: [
        .init(name: "Content-Security-Policy", value: "default-src 'none'"),
        .init(name: "X-Content-Type-Options", value: "nosniff"),
        .init(name: "Cache-Control", value: "max-age=86400"),
      ],
      body: Array(drawing(state).utf8))
  }

  /// - Parameter state: nil for a page that tells none.
  static func path(_ state: TopologyPage.State?) -> String { "\(prefix)\(state?.rawValue ?? "redline").svg" }

  /// Told apart by shape as well as by colour: a ring, a triangle, a question mark, a filled square; a line for no state.
  private static func drawing(_ state: TopologyPage.State?) -> String {
    let shape =
      switch state {
      case .healthy: "<circle cx='16' cy='16' r='11' fill='none' stroke='#1a7f37' stroke-width='7'/>"
      case .degraded: "<path d='M16 3 30 29H2Z' fill='#d29922'/>"
      case .unknown:
        "<path d='M9 11a7 7 0 1 1 7 8v3m0 4v3' fill='none' stroke='#6e7781' stroke-width='5'/>"
      case nil: "<path d='M3 22h8l4-13 5 16 3-9h6' fill='none' stroke='#cf222e' stroke-width='4'/>"
      case .critical: "<rect x='2' y='2' width='28' height='28' rx='4' fill='#cf222e'/>"
      }
    return "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'>\(shape)</svg>\n"
  }
}
