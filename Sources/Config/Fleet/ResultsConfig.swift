extension MappingReader {
  /// The bearer token of those who may hand something in.
  fileprivate func intakeToken(of name: String, otherwise: String) -> SecretSource? {
    let token = secret(
      "token", "Bearer token of `POST /api/v1/\(name)`, best by `token_file`; without one of the four keys, it is off.")
    if case .literal(let secret) = token, secret.isEmpty, isSingleValue("token") {
      report("token", problem: "is empty", hint: "give token_file, or \(otherwise)")
    }
    return token
  }
}

/// Who may mark changes, deploys and incidents: `marks` of a fleet's file.
public struct MarksConfig: Sendable, Equatable {
  /// Of `POST /api/v1/marks`.
  public let token: SecretSource?

  init(_ fields: MappingReader) {
    token = fields.intakeToken(of: "marks", otherwise: "leave out marks to take none")
    if token == nil, !fields.contains("token") {
      fields.report("token_file", problem: "is missing", hint: "name a file with the token of those who may mark")
    }
  }
}

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
    token = fields.intakeToken(of: "results", otherwise: "leave it out to accept results by file alone")
    if path == nil, token == nil, !fields.contains("path"), !fields.contains("token") {
      fields.report("path", problem: "is missing", hint: "name a folder, or token_file for results over HTTP")
    }
  }
}
