import Config

/// Who may ask, and how each proves it.
public struct Users: Sendable {
  enum Proof: Sendable {
    case password(Secret)
    case bcrypt(Bcrypt)
  }

  let proofs: [String: Proof]

  /// Nobody is named, so everybody may ask.
  public static let everyone = Users(proofs: [:])

  /// One user with a plain password.
  public static func single(_ user: String, password: Secret) -> Users {
    Users(proofs: [user: .password(password)])
  }

  /// Users with bcrypt hashes.
  ///
  /// - Throws: ``WebError`` that names the user whose hash is none.
  public init(hashes: [String: Secret]) throws(WebError) {
    var proofs: [String: Proof] = [:]
    for (user, hash) in hashes.sorted(by: { $0.key < $1.key }) {
      do throws(WebError) {
        proofs[user] = .bcrypt(try Bcrypt(hash: hash.reveal()))
      } catch {
        throw WebError("user \(user): \(error)")
      }
    }
    self.proofs = proofs
  }

  private init(proofs: [String: Proof]) { self.proofs = proofs }
}
