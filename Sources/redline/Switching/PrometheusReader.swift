import Alerting
import Config
import HTTPClient
import NIOCore
import PromQL
import Runtime

/// A Prometheus that is asked over its API.
struct PrometheusReader {
  typealias Failure = AskedServer.Failure

  private let server: AskedServer
  /// Much more, read as a tree, would not fit into memory.
  static let answerBytes = 16 << 20
  private static let timeoutSeconds: Int64 = 60

  init(_ url: String, login: AskedServer.Login) async throws {
    server = try await AskedServer(
      url, flag: "prometheus", login: login,
      loginHint: "--prometheus-user and --prometheus-password-file", timeout: .seconds(Self.timeoutSeconds),
      answerBytes: Self.answerBytes)
  }

  func close() { server.close() }

  /// Whose syntax and results its rules have.
  func dialect() async throws(Failure) -> Dialect {
    let version = try await data("/api/v1/status/buildinfo")["version"]?.string ?? ""
    return version.hasPrefix("2.") ? .prometheus2 : .prometheus3
  }

  func rules(_ dialect: Dialect) async throws(Failure) -> PrometheusAnswer.Rules {
    PrometheusAnswer.rules(try await data("/api/v1/rules"), dialect: dialect)
  }

  /// The series of a vector at that time, or of a range of samples that ends there.
  func series(_ query: String, atMilliseconds time: Int64) async throws(Failure) -> [Series] {
    let body = "query=\(query.percentEncoded())&time=\(Double(time) / 1000)"
    let data = try await data("/api/v1/query", body: Array(body.utf8))
    guard let series = PrometheusAnswer.series(data) else {
      throw Failure(description: "\(server.address) answers a query with neither a vector nor a matrix")
    }
    return series
  }

  /// What a path of its API answers.
  ///
  /// - Parameter target: behind `/api/v1/`, with its query.
  func answer(_ target: String) async throws(Failure) -> JSONValue { try await data("/api/v1/\(target)") }

  /// The types of what a target serves, by family.
  func types(of target: SwitchTarget) async throws(Failure) -> [String: String] {
    let found = try await data("/api/v1/targets/metadata?match_target=\(target.selector.percentEncoded())")
    return found.elements.reduce(into: [:]) { types, one in
      if let name = one["metric"]?.string { types[name] = one["type"]?.string }
    }
  }

  private func data(_ target: String, body: [UInt8]? = nil) async throws(Failure) -> JSONValue {
    let response =
      if let body {
        try await server.answer(
          target, .post, headers: [("Content-Type", "application/x-www-form-urlencoded")], body: body)
      } else { try await server.answer(target, headers: [("Accept", "application/json")]) }
    if response.status == 401 || response.status == 403 {
      throw Failure(
        description: "\(server.address) refuses the login (\(response.status)): give --prometheus-user and "
          + "--prometheus-password-file, or --prometheus-token-file")
    }
    let json: JSONValue
    do throws(JSONError) {
      json = try JSONReader.value(response.body, limits: JSONReader.Limits(bytes: Self.answerBytes))
    } catch {
      throw Failure(
        description: "\(server.address) answers \(response.status) and no JSON: is it the address of a Prometheus?")
    }
    guard response.isSuccess, json["status"]?.string == "success", let data = json["data"] else {
      let text = oneLine((json["error"]?.string ?? "an answer without data").cut(toBytes: ForeignText.byteLimit))
      throw Failure(
        description: "\(server.address) answers \(response.status): \(text)",
        isOfSize: response.status == 422 || response.status == 503)
    }
    return data
  }
}

/// The pages of the two exporters.
enum ExporterPage {
  private static let answerBytes = 64 << 20

  /// Both, read twice in turns: what was only there once comes and goes by itself.
  ///
  /// - Returns: nil for one whose address is not given.
  static func both(
    exporter: String?, redline: String?, login: AskedServer.Login, namespace: String
  ) async throws -> (old: ServedSeries?, new: ServedSeries?) {
    var (old, new): (ServedSeries?, ServedSeries?)
    for _ in 0..<2 {
      if let exporter {
        let page = try await series(exporter, flag: "exporter", login)
        guard page.byName.keys.contains(where: { $0.hasSuffix("_exporter_last_scrape_error") }) else {
          throw AskedServer.Failure(
            description: "the page of --exporter is no redis_exporter's: it has no …_exporter_last_scrape_error")
        }
        guard page.byName["\(namespace)_exporter_last_scrape_error"] != nil else {
          throw AskedServer.Failure(
            description: "the page of --exporter has another namespace than \(namespace): give --namespace")
        }
        guard !isRedline(page, namespace) else {
          throw AskedServer.Failure(description: "the page of --exporter is a Redline's: give it by --redline")
        }
        try requireServer(page, "exporter", namespace)
        old = old?.intersection(page) ?? page
      }
      if let redline {
        let page = try await series(redline, flag: "redline", login)
        guard isRedline(page, namespace) else {
          throw AskedServer.Failure(
            description: "the page of --redline is no Redline's, or it watches nothing: it has no "
              + "\(namespace)_exporter_target_state")
        }
        guard page.values(of: "instance", in: "\(namespace)_up").isEmpty else {
          throw AskedServer.Failure(
            description: "the page of --redline is a fleet's, whose series have the label instance: give a page of one "
              + "server, of a Redline with redis_exporter's flags or of /scrape?target=redis://host:6379")
        }
        try requireServer(page, "redline", namespace)
        new = new?.union(page) ?? page
      }
    }
    return (old, new)
  }

  /// A page without a server has no series to lose.
  private static func requireServer(
    _ page: ServedSeries, _ flag: String, _ namespace: String
  ) throws(AskedServer.Failure) {
    guard page.byName["\(namespace)_uptime_in_seconds"] == nil else { return }
    throw AskedServer.Failure(
      description:
        "the page of --\(flag) shows no server: \(namespace)_up is 0, or it is asked for by /scrape?target=redis://host:6379"
    )
  }

  private static func isRedline(_ page: ServedSeries, _ namespace: String) -> Bool {
    page.byName["\(namespace)_exporter_target_state"] != nil
  }

  private static func series(_ url: String, flag: String, _ login: AskedServer.Login) async throws -> ServedSeries {
    let mark = url.firstIndex(of: "?") ?? url.endIndex
    let server = try await AskedServer(
      String(url[..<mark]), flag: flag, login: login, loginHint: "--page-user and --page-password-file",
      answerBytes: answerBytes)
    defer { server.close() }
    let path = server.address.path.isEmpty ? "/metrics" : ""
    let response = try await server.answer(path + url[mark...], headers: [("Accept", "text/plain;version=0.0.4")])
    guard response.status != 401 else {
      throw AskedServer.Failure(
        description: "\(server.address) refuses the login: give --page-user and --page-password-file")
    }
    guard response.isSuccess else {
      throw AskedServer.Failure(
        description: "\(server.address) answers \(response.status): name the page of metrics, such as "
          + "http://host:9121/metrics or http://host:9121/scrape?target=redis://other:6379")
    }
    do throws(ServedSeries.PageError) {
      return try ServedSeries(page: response.body)
    } catch {
      throw AskedServer.Failure(description: "\(server.address) serves no page of metrics: \(error)")
    }
  }
}
