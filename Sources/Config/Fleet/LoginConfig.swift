/// User and password of a side of a workload. The password is a reference that is read again at each login.
public struct LoginConfig: Sendable, Equatable {
  /// Nil for the default user.
  public let user: String?
  public let password: SecretSource

  /// Nil, with an error noted, when there is no password.
  init?(_ fields: MappingReader) {
    user = fields.optional("user", .nonEmptyString, "ACL user; left out for the default user.")
    guard let password = fields.secret("password", "Password; one of the four keys is needed.") else {
      fields.report(
        "password", problem: "is missing",
        hint: "give password_file, password_env, password_credential or password")
      return nil
    }
    // A password of the wrong shape reads as empty and has its error already.
    if case .literal(let secret) = password, secret.isEmpty, fields.isSingleValue("password") {
      fields.report("password", problem: "is empty", hint: "leave credentials out for a server without a password")
    }
    self.password = password
  }
}
