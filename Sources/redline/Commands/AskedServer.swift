import Config
import HTTPClient
import NIOCore
import NIOPosix
import Runtime
import Transport

/// An HTTP server that a command asks.
struct AskedServer {
  /// Whom the server takes the command for, and by whom its certificate is signed.
  struct Login {
    var user: String?
    var passwordFile: String?
    /// A bearer token, in the place of user and password.
    var tokenFile: String?
    var caFile: String?
  }

  /// Why the server gave no answer that can be used.
  struct Failure: Error, CustomStringConvertible {
    let description: String
    /// The answer was too large, or took too long: less of it may come.
    var isOfSize = false
    /// It knows nothing of that name.
    var isNotFound = false
    /// What it says itself; empty where it says nothing.
    var reason = ""
  }

  let address: HTTPAddress
  private let peer: HTTPPeer
  private let authorization: [(name: String, value: String)]
  private let timeout: TimeAmount

  /// - Parameters:
  ///   - flag: where the address was written.
  ///   - loginHint: how to give user and password.
  /// - Throws: ``ConfigErrors``.
  init(
    _ url: String, flag: String, login: Login, loginHint: String, timeout: TimeAmount = .seconds(30), answerBytes: Int
  ) async throws {
    do throws(Mismatch) { address = try HTTPAddress.parse(url) } catch {
      let hint = url.contains("@") ? "take them out, for others see them, and use \(loginHint)" : error.hint
      throw ConfigErrors(ConfigError(.flag(flag), problem: error.problem, hint: hint))
    }
    var authorization: [(name: String, value: String)] = []
    if let user = login.user, let file = login.passwordFile {
      let password = try await SecretReader.shared.read(.file(file), environment: [:])
      authorization = [("Authorization", basicAuthorization(user: user, password: password.reveal()))]
    } else if let file = login.tokenFile {
      let token = try await SecretReader.shared.read(.file(file), environment: [:])
      authorization = [("Authorization", "Bearer \(token.reveal())")]
    }
    self.authorization = authorization
    self.timeout = timeout
    var tls = TLSClientSettings()
    tls.caFile = login.caFile
    var limits = HTTPLimits()
    limits.responseBytes = answerBytes
    peer = HTTPPeer(
      HTTPOrigin(usesTLS: address.usesTLS, host: address.host, port: address.port), tls: tls, limits: limits,
      in: HTTPContext(group: MultiThreadedEventLoopGroup.singleton))
  }

  func close() { peer.close() }

  /// - Parameter target: behind the address, with a slash in front and its query.
  /// - Throws: ``Failure``.
  func answer(
    _ target: String, _ method: HTTPRequest.Method = .get, headers: [(name: String, value: String)] = [],
    body: [UInt8] = []
  ) async throws(Failure) -> HTTPResponse {
    let request = HTTPRequest(
      method, "\(address.path)\(target)", headers: headers + authorization, body: body)
    do throws(HTTPClientError) {
      return try await peer.send(request, deadline: .now() + timeout)
    } catch {
      throw Failure(
        description: "\(address) gives no answer: \(error.message)",
        isOfSize: error.errorClass == .limit || error.errorClass == .timeout)
    }
  }
}
