import API
import ArgumentParser
import Config
import Fleet
import HTTPClient
import Runtime

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

  /// Where a daemon listens that is told nothing else.
  static let defaultURL = "http://127.0.0.1:9121"
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

  typealias Failure = AskedServer.Failure

  /// Asks for a path of the API.
  ///
  /// - Parameter target: behind `/api/v1/`, with its query.
  /// - Returns: `data` of the answer.
  /// - Throws: ``ConfigErrors`` for wrong options, ``Failure`` for everything else.
  func ask(_ url: String, _ target: String) async throws -> JSONValue { try await answer(url, target).data }

  /// As ``ask(_:_:)``, with what the daemon remarks about the answer.
  func answer(_ url: String, _ target: String) async throws -> (data: JSONValue, warnings: [String]) {
    let server = try await AskedServer(
      url, flag: "url", login: .init(user: urlUser, passwordFile: urlPasswordFile, caFile: urlCAFile),
      loginHint: "--url-user", answerBytes: Self.answerBytes)
    defer { server.close() }
    let response = try await server.answer("/api/v1/\(target)", headers: [("Accept", "application/json")])
    return try Self.data(of: response, from: server.address)
  }

  private static func data(
    of response: HTTPResponse, from address: HTTPAddress
  ) throws -> (data: JSONValue, warnings: [String]) {
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
      let reason = oneLine(text.cut(toBytes: ForeignText.byteLimit))
      throw Failure(
        description: "\(address) answers \(response.status): \(reason)", isNotFound: response.status == 404,
        reason: reason)
    }
    return (data, (json["warnings"]?.elements ?? []).compactMap(\.string))
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
