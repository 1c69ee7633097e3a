/// Where results of checks come in that commands ran: `results` of a fleet's file.
public struct ResultsConfig: Sendable, Equatable {
  /// The folder in which commands leave results and from which the daemon takes them, made absolute by the place of the
  /// configuration; nil for none.
  public let path: String?
  /// Who may hand results to `POST /api/v1/results`; nil for nobody.
  public let token: SecretSource?

  init(_ fields: MappingReader, folder: String) {
    path = fields.optional(
      "path", .nonEmptyString,
      "Folder, relative to this file, in which commands leave results; the daemon takes them from there."
    ).map { RulesConfig.absolute($0, in: folder) }
    token = fields.secret(
      "token", "Bearer token of `POST /api/v1/results`, best by `token_file`; without one of the four keys, it is off.")
    if case .literal(let secret) = token, secret.isEmpty, fields.isSingleValue("token") {
      fields.report(
        "token", problem: "is empty", hint: "give token_file, or leave it out to accept results by file alone")
    }
    if path == nil, token == nil, !fields.contains("path"), !fields.contains("token") {
      fields.report("path", problem: "is missing", hint: "name a folder, or token_file for results over HTTP")
    }
  }
}
