import Config
import Fleet
import HTTPClient
import Runtime

extension CheckReport {
  /// Leaves the report where the daemon takes it: in `results.path`, or, where there is a token instead, at the daemon that was
  /// asked. Says on standard error where it cannot.
  ///
  /// - Returns: the exit status of a command that would have ended with `status`: 2 where all was well but for this, for a
  ///   timer must not count as a success what nobody learns of.
  func left(in results: ResultsConfig?, status: Int32, daemon: DaemonOptions? = nil) async -> Int32 {
    do {
      if let path = results?.path {
        do throws(FileProblem) {
          try await CheckReportFolder.write(self, to: path)
        } catch { throw DaemonOptions.Failure(description: "\(path) \(error.reason)") }
      } else if let token = results?.token, let daemon, let url = daemon.url {
        try await daemon.hand(self, to: url, token: SecretReader.shared.read(token, environment: processEnvironment()))
      }
      return status
    } catch {
      Redline.printError("the result is not kept: \(error)")
      return status == 0 ? Redline.usageStatus : status
    }
  }
}

extension DaemonOptions {
  /// Hands a result to the daemon.
  ///
  /// - Throws: ``ConfigErrors`` or ``Failure``.
  fileprivate func hand(_ report: CheckReport, to url: String, token: Secret) async throws {
    let server = try await AskedServer(
      url, flag: "url", login: .init(caFile: urlCAFile), loginHint: "results.token_file", answerBytes: 1 << 20)
    defer { server.close() }
    let response = try await server.answer(
      "/api/v1/results", .post,
      headers: [("Authorization", "Bearer \(token.reveal())"), ("Content-Type", "application/json")], body: report.json)
    guard !response.isSuccess else { return }
    let said = (try? JSONReader.value(response.body))?["error"]?.string ?? "an answer that is no JSON"
    throw Failure(
      description: "\(server.address) answers \(response.status): \(oneLine(said.cut(toBytes: ForeignText.byteLimit)))")
  }
}
