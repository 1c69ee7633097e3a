import Config

/// The token of a client that shows one: `Authorization: Bearer TOKEN`.
public enum BearerToken {
  /// Shorter ones can be guessed.
  public static let leastBytes = 16

  /// Whether the request shows this token; in a time that does not tell how much of it is right.
  public static func isShown(_ secret: Secret, by request: Request) -> Bool {
    let digest = SaltedDigest()
    let shown = token(of: request).map { Array($0.utf8) }
    return digest(shown ?? []).equals(digest(Array(secret.reveal().utf8))) && shown != nil
  }

  private static func token(of request: Request) -> Substring? {
    guard let header = request.header("Authorization"), let space = header.firstIndex(of: " "),
      equalIgnoringCase(String(header[..<space]), "Bearer")
    else { return nil }
    return header[header.index(after: space)...].drop { $0 == " " }
  }
}
