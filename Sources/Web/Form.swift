/// The parameters of a request: what a form in its body gives, then what its query gives.
public struct Form: Sendable {
  /// The most items that a body may have.
  public static let itemLimit = 1024
  static let contentType = "application/x-www-form-urlencoded"

  public let items: [Request.QueryItem]

  /// Why the body of a request is no form.
  public struct Refusal: Error, Sendable, Equatable {
    /// 400, or 415 for a body of another type.
    public let status: Int
    public let message: String
  }

  /// A request without a body gives its query alone.
  public init(_ request: Request) throws(Refusal) {
    guard !request.body.isEmpty else {
      items = request.query
      return
    }
    let type = request.header("Content-Type") ?? ""
    let essence = type.prefix { $0 != ";" }
    guard equalIgnoringCase(String(essence.filter { $0 != " " }), Self.contentType) else {
      throw Refusal(
        status: 415,
        message: "the body is \(type.isEmpty ? "of no type" : "\(type.prefix(100))"); send it as \(Self.contentType)")
    }
    guard let text = String(validating: request.body, as: UTF8.self) else {
      throw Refusal(status: 400, message: "the body is not UTF-8; encode other bytes as %XX")
    }
    let fields = queryItems(Substring(text).utf8, limit: Self.itemLimit + 1)
    guard fields.count <= Self.itemLimit else {
      throw Refusal(status: 400, message: "the body has more than \(Self.itemLimit) parameters")
    }
    items = fields + request.query
  }

  /// The value of the first parameter of this name.
  public func value(_ name: String) -> String? { items.first { $0.name == name }?.value }

  /// The values of all parameters of this name.
  public func values(_ name: String) -> [String] { items.compactMap { $0.name == name ? $0.value : nil } }
}
