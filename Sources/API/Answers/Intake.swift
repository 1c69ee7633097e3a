import Config
import Runtime
import Web

/// What clients may hand in, and with which tokens.
public struct Intakes: Sendable {
  /// Gives the token that a client has to show; nil where nothing is taken from clients.
  public typealias Token = @Sendable () async throws -> Secret?

  let checks: VerifiedChecks
  let marks: KeptMarks

  public init(checks: VerifiedChecks, marks: KeptMarks) {
    self.checks = checks
    self.marks = marks
  }
}

/// One way in for clients, with its token and its bound.
struct Intake: Sendable {
  /// The key of `redline.yml`, and the last part of the path: `results`.
  let name: String
  /// What one of them is called.
  let one: String
  /// What is said where no token is configured.
  let closed: String
  let limitBytes: Int
  let hint: String

  /// The body of a request that shows the token.
  ///
  /// - Throws: ``APIError``: what is missing or wrong.
  func body(of request: Request, token: Intakes.Token) async throws -> [UInt8] {
    let expected: Secret?
    do { expected = try await token() } catch {
      throw APIError(.forbidden, "the token of \(name) cannot be read: see the log of redline")
    }
    guard let expected else { throw APIError(.forbidden, "\(closed) in redline.yml") }
    guard expected.reveal().utf8.count >= BearerToken.leastBytes else {
      throw APIError(
        .forbidden,
        "the token of \(name) is shorter than \(BearerToken.leastBytes) bytes: write a longer one in its file")
    }
    guard BearerToken.isShown(expected, by: request) else {
      throw APIError(.unauthorized, "show the token of \(name).token_file: Authorization: Bearer TOKEN")
    }
    guard request.body.count <= limitBytes else {
      throw APIError(.badData, "the \(one) has more than \(limitBytes) bytes; \(hint)", status: 413)
    }
    return request.body
  }
}
