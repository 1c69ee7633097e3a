/// Where alerts are sent, and how: the block `alerting`.
public struct AlertingConfig: Sendable, Equatable {
  static let alertmanagerLimit = 100
  static let relabelLimit = 100

  /// In the order of the file; never empty. Each gets every alert.
  public let alertmanagers: [AlertmanagerConfig]
  /// Steps that every alert goes through, in their order, before it is sent.
  public let relabel: [RelabelConfig]
  /// Time after which a firing alert is sent again.
  public let resendDelay: Duration
  /// Maximum number of alerts that may wait for one Alertmanager.
  public let queueCapacity: Int

  init(_ fields: MappingReader) {
    alertmanagers = fields.mappings(
      "alertmanagers", "Each gets every alert; at least one, at most \(Self.alertmanagerLimit)."
    ) { AlertmanagerConfig($0) }
    relabel = fields.mappings(
      "relabel", "Steps that every alert goes through, with the keys of Prometheus' relabel_config."
    ) { RelabelConfig($0) }
    resendDelay = fields.value(
      "resend_delay", .duration(.extended, .atLeast(.seconds(1))), default: .seconds(60),
      "Time after which a firing alert is sent again.")
    queueCapacity = fields.value(
      "queue_capacity", .int(64...1_000_000), default: 10_000,
      "Maximum number of alerts that may wait for one Alertmanager.")
    if !fields.contains("alertmanagers") || fields.hasEmptyList("alertmanagers") {
      fields.report("alertmanagers", problem: "is missing", hint: "list at least one, or leave alerting out")
    }
    for (key, count, limit) in [
      ("alertmanagers", alertmanagers.count, Self.alertmanagerLimit), ("relabel", relabel.count, Self.relabelLimit),
    ] where count > limit {
      fields.report(key, problem: "has more than \(limit) entries")
    }
    var seen: Set<HTTPAddress> = []
    for alertmanager in alertmanagers where !seen.insert(alertmanager.address).inserted && !alertmanager.host.isEmpty {
      fields.report("alertmanagers", value: alertmanager.address.description, problem: "is given twice")
    }
  }
}

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
    let url = fields.optional("url", .httpAddress, "Address, with a path prefix if it has one; alternative to `dns`.")
    let discovered = fields.mapping("dns", "Name whose addresses are all Alertmanagers; alternative to `url`.") {
      fields in
      HTTPAddress(
        usesTLS: fields.value("scheme", .oneOf(Scheme.self, noun: "a scheme"), default: .http, "Their protocol.")
          == .https,
        host: fields.required("name", .hostName, "The name that is looked up."),
        port: fields.value("port", .int(1...65535), default: 9093, "Their port."),
        path: fields.value("path_prefix", .pathPrefix, default: "", "Prefix of their paths."))
    }
    if url == nil, discovered == nil, !fields.contains("url"), !fields.contains("dns") {
      fields.report("url", problem: "is missing", hint: "give url, or dns for all addresses of a name")
    }
    if url != nil, discovered != nil { fields.report("dns", problem: "conflicts with url", hint: "keep one of them") }
    address = url ?? discovered ?? HTTPAddress(usesTLS: false, host: "", port: 1)
    isDiscovered = url == nil
    login = Self.login(fields)
    tls = fields.mapping("tls", "TLS for `https`; by default with the system's authorities.") { TLSConfig($0) }
    timeout = fields.value(
      "timeout", .duration(), default: .seconds(10),
      "Time limit of one attempt, from name lookup to the end of the answer.")
    if tls != nil, !address.usesTLS, !address.host.isEmpty {
      fields.report("tls", problem: "contradicts the scheme http", hint: "use https, or leave tls out")
    }
  }

  private enum Scheme: String, CaseIterable { case http, https }

  static func login(_ fields: MappingReader) -> Login? {
    let basic =
      fields.mapping("basic_auth", "Login; alternative to `bearer_token`.") { fields -> Login? in
        let user = fields.required(
          "username",
          .nonEmptyString.restricted(
            to: { !$0.contains(":") }, "holds a colon", hint: "basic authentication allows none in a user's name",
            range: "without a colon"), "User name.")
        guard let password = fields.secret("password", "Password; one of the four keys is needed.") else {
          fields.report(
            "password", problem: "is missing",
            hint: "give password_file, password_env, password_credential or password")
          return nil
        }
        return .basic(user: user, password: password)
      } ?? nil
    let token = fields.secret("bearer_token", "Token; alternative to `basic_auth`.")
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
