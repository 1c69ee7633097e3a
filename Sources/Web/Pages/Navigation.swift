import Runtime

/// The links between the pages, on each of them.
public struct Navigation: Sendable {
  public enum Place: String, Sendable, CaseIterable {
    case topology = "Workloads"
    case alerts = "Alerts"
    case rules = "Rules"
    case events = "Events"
    case checks = "Checks"
    case audit = "Audit"
    case runbooks = "Runbooks"
    case metrics = "Metrics"
  }

  /// nil on a page that is none of them.
  public var current: Place?
  public var metricsPath: String

  public init(_ current: Place?, metricsPath: String) {
    self.current = current
    self.metricsPath = metricsPath
  }

  var html: HTML {
    let links: [HTML] = Place.allCases.map { place in
      let mark: HTML = place == current ? " aria-current=\"page\"" : ""
      return "<a href=\"\(path(place))\"\(mark)>\(place.rawValue)</a>\n"
    }
    return "<header><nav class=\"site\" aria-label=\"Pages\">\n\(HTML.joined(links))</nav></header>\n"
  }

  private func path(_ place: Place) -> String {
    switch place {
    case .topology: "/"
    case .alerts: "/alerts"
    case .rules: "/rules"
    case .events: "/events"
    case .checks: "/checks"
    case .audit: "/audit"
    case .runbooks: "/runbooks"
    case .metrics: metricsPath
    }
  }
}

/// A word for a path: everything but letters, digits and `-._~` as `%XX`.
public func pathEncoded(_ text: String) -> String { text.percentEncoded() }
