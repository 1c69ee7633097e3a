/// One Alertmanager, or all that a name stands for.
public struct AlertmanagerConfig: Sendable, Equatable {
  /// How the client proves who it is.
  public enum Login: Sendable, Equatable {
    case basic(user: String, password: SecretSource)
    case bearer(SecretSource)
  }

  /// Where it is, the path prefix included.
  public let address: HTTPAddress
  /// Every address that the host's name resolves to is an Alertmanager of its own, looked up again and again.
  public let isDiscovered: Bool
  public let login: Login?
  /// For `https` addresses; nil for the system's authorities and no client certificate.
  public let tls: TLSConfig?
  /// How long one attempt to send may take, from the look-up of the name to the end of the answer.
  public let timeout: Duration

  var host: String { address.host }

  init(_ fields: MappingReader) {
    let url = fields.optional("url", .httpAddress, "Its address, with a path prefix where it has one; or `dns`.")
    let discovered = fields.mapping("dns", "A name whose addresses are all Alertmanagers; instead of `url`.") {
      fields in
      HTTPAddress(
        usesTLS: fields.value("scheme", .oneOf(Scheme.self, noun: "a scheme"), default: .http, "Their protocol.")
          == .https,
        host: fields.required("name", .hostName, "The name that is looked up."),
        port: fields.value("port", .int(1...65535), default: 9093, "Their port."),
        path: fields.value("path_prefix", .pathPrefix, default: "", "In front of their paths."))
    }
    if url == nil, discovered == nil, !fields.contains("url"), !fields.contains("dns") {
      fields.report("url", problem: "is missing", hint: "give url, or dns for all addresses of a name")
    }
    if url != nil, discovered != nil { fields.report("dns", problem: "conflicts with url", hint: "keep one of them") }
    address = url ?? discovered ?? HTTPAddress(usesTLS: false, host: "", port: 1)
    isDiscovered = url == nil
    login = Self.login(fields)
    tls = fields.mapping("tls", "For `https`; left out for the system's authorities.") { TLSConfig($0) }
    timeout = fields.value(
      "timeout", .duration(), default: .seconds(10),
      "For one attempt, from the look-up of the name to the end of the answer.")
    if tls != nil, !address.usesTLS, !address.host.isEmpty {
      fields.report("tls", problem: "contradicts the scheme http", hint: "use https, or leave tls out")
    }
  }

  private enum Scheme: String, CaseIterable { case http, https }

  private static func login(_ fields: MappingReader) -> Login? {
    let basic =
      fields.mapping("basic_auth", "A login; or `bearer_token`.") { fields -> Login? in
        let user = fields.required(
          "username",
          .nonEmptyString.restricted(
            to: { !$0.contains(":") }, "holds a colon", hint: "basic authentication allows none in a user's name",
            range: "without a colon"), "Who logs in.")
        guard let password = fields.secret("password", "Password; one of the four keys is needed.") else {
          fields.report(
            "password", problem: "is missing",
            hint: "give password_file, password_env, password_credential or password")
          return nil
        }
        return .basic(user: user, password: password)
      } ?? nil
    let token = fields.secret("bearer_token", "A token; or `basic_auth`.")
    if token != nil, fields.contains("basic_auth") {
      fields.report("basic_auth", problem: "conflicts with bearer_token", hint: "keep one of them")
    }
    return token.map { .bearer($0) } ?? basic
  }
}

extension ScalarType<String> {
  /// A name that is looked up.
  static var hostName: ScalarType {
    ScalarType(placeholder: "", name: "host name") { text throws(Mismatch) in
      try HTTPAddress.checkName(text[...])
      guard IPAddress(text) == nil else { throw Mismatch("is an address, not a name", hint: "write it as url") }
      return text
    }
  }

  static var pathPrefix: ScalarType {
    ScalarType(placeholder: "", name: "path") { text throws(Mismatch) in try HTTPAddress.path(text) }
  }
}
