/// A page that says what went wrong, for people; programs get ``Response/text(_:status:headers:)``.
public struct ErrorPage: Sendable {
  public var status: Int
  public var title: String
  public var explanation: String

  public init(status: Int, title: String, explanation: String) {
    self.status = status
    self.title = title
    self.explanation = explanation
  }

  public func response() -> Response {
    Layout(title: title, content: "<p>\(explanation)</p>\n<p><a href=\"/\">Start page</a></p>").response(status: status)
  }
}
