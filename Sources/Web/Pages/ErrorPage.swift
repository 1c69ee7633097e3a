/// A page that says what went wrong, for people; programs get ``Response/text(_:status:headers:)``.
public struct ErrorPage: Sendable {
  public var status: Int
  public var title: String
  public var explanation: String
  /// nil where the page leads to the start page alone.
  public var metricsPath: String?

  public init(status: Int, title: String, explanation: String, metricsPath: String? = nil) {
    self.status = status
    self.title = title
    self.explanation = explanation
    self.metricsPath = metricsPath
  }

  public func response() -> Response {
    var layout = Layout(title: title, content: "<p>\(explanation)</p>\n<p><a href=\"/\">Start page</a></p>")
    layout.navigation = metricsPath.map { Navigation(nil, metricsPath: $0) }
    return layout.response(status: status)
  }
}
