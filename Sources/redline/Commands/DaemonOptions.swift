import API
import ArgumentParser
import Config
import Fleet
import HTTPClient
import NIOCore
import NIOPosix
import Runtime
import Transport

/// The running daemon that a command asks, instead of polling by itself.
struct DaemonOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Ask the daemon at this address, such as http://127.0.0.1:9121, which knows more than one poll tells.",
      valueName: "url"))
  var url: String?

  @Option(help: ArgumentHelp("The user to log in to the daemon with.", valueName: "name"))
  var urlUser: String?

  @Option(
    help: ArgumentHelp("The file with the user's password.", valueName: "file"), completion: .file())
  var urlPasswordFile: String?

  @Option(
    help: ArgumentHelp(
      "The file with the certificates that may have signed the daemon's; by default the system's.", valueName: "file"),
    completion: .file())
  var urlCAFile: String?

  /// How long an answer may take.
  private static let timeout = TimeAmount.seconds(30)
  /// As much as ten thousand nodes may come to.
  private static let answerBytes = 256 << 20

  func validate() throws {
    if url == nil, urlUser != nil || urlPasswordFile != nil || urlCAFile != nil {
      throw ValidationError("--url-user, --url-password-file and --url-ca-file are for --url")
    }
    if (urlUser == nil) != (urlPasswordFile == nil) {
      throw ValidationError("--url-user and --url-password-file belong together")
    }
  }

  /// Why the daemon gave no answer.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Asks for a path of the API.
  ///
  /// - Parameter target: behind `/api/v1/`, with its query.
  /// - Returns: `data` of the answer.
  /// - Throws: ``ConfigErrors`` for wrong options, ``Failure`` for everything else.
  func ask(_ url: String, _ target: String) async throws -> JSONValue {
    let address: HTTPAddress
    do throws(Mismatch) { address = try HTTPAddress.parse(url) } catch {
      let hint = url.contains("@") ? "take them out, for others see them, and use --url-user" : error.hint
      throw ConfigErrors(ConfigError(.flag("url"), problem: error.problem, hint: hint))
    }
    var headers = [(name: "Accept", value: "application/json")]
    if let urlUser, let urlPasswordFile {
      let password = try await SecretReader.shared.read(.file(urlPasswordFile), environment: [:])
      headers.append(("Authorization", basicAuthorization(user: urlUser, password: password.reveal())))
    }
    var tls = TLSClientSettings()
    tls.caFile = urlCAFile
    var limits = HTTPLimits()
    limits.responseBytes = Self.answerBytes
    let peer = HTTPPeer(
      HTTPOrigin(usesTLS: address.usesTLS, host: address.host, port: address.port), tls: tls, limits: limits,
      in: HTTPContext(group: MultiThreadedEventLoopGroup.singleton))
    defer { peer.close() }
    let request = HTTPRequest(.get, "\(address.path)/api/v1/\(target)", headers: headers)
    let response: HTTPResponse
    do throws(HTTPClientError) { response = try await peer.send(request, deadline: .now() + Self.timeout) } catch {
      throw Failure(description: "\(address) gives no answer: \(error.message)")
    }
    return try Self.data(of: response, from: address)
  }

  private static func data(of response: HTTPResponse, from address: HTTPAddress) throws -> JSONValue {
    if response.status == 401 {
      throw Failure(description: "\(address) refuses the login: give --url-user and --url-password-file")
    }
    var reader = JSONReader.Limits()
    reader.bytes = answerBytes
    let json: JSONValue
    do { json = try JSONReader.value(response.body, limits: reader) } catch {
      throw Failure(description: "\(address) answers \(response.status) and no JSON: is it a redline of this version?")
    }
    guard response.isSuccess, let data = json["data"] else {
      let text = json["error"]?.string ?? "an answer without data"
      throw Failure(
        description: "\(address) answers \(response.status): \(oneLine(text.cut(toBytes: ForeignText.byteLimit)))")
    }
    return data
  }
}

extension DaemonOptions {
  /// What every check of the daemon says.
  ///
  /// - Parameter workload: nil for all.
  func checkResults(_ url: String, workload: String?) async throws -> [CheckResult] {
    let query = workload.map { "?workload=\($0.percentEncoded())" } ?? ""
    let listed = try await ask(url, "checks" + query)["results"]?.elements
    let results = (listed ?? []).map { CheckResult($0) }
    guard listed != nil, !results.contains(nil) else {
      throw Failure(description: "\(url) answers with results that this program does not know: is it of this version?")
    }
    return results.compactMap { $0 }
  }
}
