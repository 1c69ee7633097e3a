import Config
import HTTPClient
import NIOCore
import Runtime
import Transport

/// Posts alerts to one Alertmanager: its address, login and TLS.
struct AlertmanagerClient: Sendable {
  /// What became of one request.
  enum Outcome: Sendable, Equatable {
    case accepted
    /// The alerts themselves are at fault; fewer of them may be taken.
    case refused(Failure)
    /// To be tried again.
    case failed(Failure)
  }

  /// Why alerts were not taken: a short stable class, and words without secrets.
  struct Failure: Error, Sendable, Equatable {
    let errorClass: String
    let message: String
  }

  /// The outcome, and the other clock's time by the response.
  struct Answer: Sendable {
    let outcome: Outcome
    /// Nil without a response or without its `Date`.
    let offsetSeconds: Double?
  }

  let config: AlertmanagerConfig
  /// Where it is, a discovered one by its literal address.
  let address: HTTPAddress
  private let peer: HTTPPeer
  /// For ``view()``, whose answers are larger.
  private let viewed: HTTPPeer
  private let environment: [String: String]

  /// - Parameter literal: the address to connect to of a discovered Alertmanager.
  init(_ config: AlertmanagerConfig, literal: String? = nil, environment: [String: String], in context: HTTPContext) {
    self.config = config
    self.environment = environment
    let configured = config.address
    address = HTTPAddress(
      usesTLS: configured.usesTLS, host: literal ?? configured.host, port: configured.port, path: configured.path)
    let origin = HTTPOrigin(usesTLS: configured.usesTLS, host: configured.host, port: configured.port)
    let tls = TLSClientSettings(config.tls)
    peer = HTTPPeer(origin, address: literal, tls: tls, in: context)
    viewed = HTTPPeer(origin, address: literal, tls: tls, limits: Self.viewLimits, in: context)
  }

  /// All alerts that it has, with their annotations, are one answer.
  private static let viewLimits = HTTPLimits(responseBytes: 8 << 20)

  /// The URL that alerts go to.
  var url: String { "\(address)/api/v2/alerts" }

  /// - Parameter deadline: the configured timeout may end the attempt earlier.
  func post(
    _ alerts: [OutgoingNotification], aheadMilliseconds: Int64 = 0, until deadline: NIODeadline = .distantFuture
  ) async
    -> Answer
  {
    let body = alertsBody(alerts, aheadMilliseconds: aheadMilliseconds)
    return await send(.post, "/api/v2/alerts", body, until: deadline)
  }

  /// Asks whether it is there, which also tells its clock.
  func probe() async -> Answer { await send(.get, "/-/healthy", [], until: .now() + .seconds(2)) }

  /// Ends the connection; a request under way fails.
  func close() {
    peer.close()
    viewed.close()
  }

  private func send(
    _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8], until deadline: NIODeadline
  ) async -> Answer {
    switch await exchange(method, path, body, by: peer, until: deadline) {
    case .success(let response): Answer(outcome: Self.outcome(response), offsetSeconds: ClockOffset.seconds(response))
    case .failure(let failure): Answer(outcome: .failed(failure), offsetSeconds: nil)
    }
  }

  private func exchange(
    _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8] = [], by peer: HTTPPeer, until deadline: NIODeadline
  ) async -> Result<HTTPResponse, Failure> {
    var headers = [("User-Agent", "redline"), ("Accept", "application/json")]
    if method == .post { headers.append(("Content-Type", "application/json")) }
    do {
      if let authorization = try await authorization() { headers.append(("Authorization", authorization)) }
    } catch {
      return .failure(Failure(errorClass: "credentials", message: "\(error)"))
    }
    let timeout = NIODeadline.now() + .nanoseconds(Int64(clamping: config.timeout.seconds * 1e9))
    do throws(HTTPClientError) {
      let request = HTTPRequest(
        method, address.path + path, headers: headers.map { (name: $0.0, value: $0.1) }, body: body)
      return .success(try await peer.send(request, deadline: min(deadline, timeout)))
    } catch {
      return .failure(Failure(errorClass: error.errorClass.rawValue, message: error.message))
    }
  }

  /// Asks what it makes of its alerts: whom it tells, and what is silenced or inhibited.
  func view() async -> AlertmanagerView {
    let deadline = NIODeadline.now() + .seconds(2)
    let label = address.description
    switch await json("/api/v2/alerts", until: deadline) {
    case .failure(let failure): return AlertmanagerView(label, nil, problem: failure.message)
    case .success(let alerts):
      let answers = AlertmanagerAnswers(alerts: alerts)
      var silences: [String: JSONValue] = [:]
      for id in answers.silenceIDs(limit: Self.silenceLimit) {
        // One that cannot be read is a silence all the same.
        silences[id] = try? await json("/api/v2/silence/\(id.percentEncoded())", until: deadline).get()
      }
      return AlertmanagerView(label, answers.entries(silences: silences))
    }
  }

  /// Silences that are read for one answer.
  private static let silenceLimit = 20

  private func json(_ path: String, until deadline: NIODeadline) async -> Result<JSONValue, Failure> {
    switch await exchange(.get, path, by: viewed, until: deadline) {
    case .failure(let failure): return .failure(failure)
    case .success(let response):
      if case .refused(let failure) = Self.outcome(response) { return .failure(failure) }
      if case .failed(let failure) = Self.outcome(response) { return .failure(failure) }
      do throws(JSONError) {
        return .success(try JSONReader.value(response.body))
      } catch {
        return .failure(Failure(errorClass: "protocol", message: "its answer is no JSON: \(error)"))
      }
    }
  }

  private static func outcome(_ response: HTTPResponse) -> Outcome {
    if response.isSuccess { return .accepted }
    let text = KnownSecrets.masked(response.body[...]).prefix(160).map {
      (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: " ")
    }
    let failure = Failure(
      errorClass: "status_\(response.status)",
      message: "it answered \(response.status): \(String(decoding: text, as: UTF8.self))")
    return [400, 413, 422].contains(response.status) ? .refused(failure) : .failed(failure)
  }

  /// Read again for each request, so that a rotated password or token serves from the next one on.
  private func authorization() async throws(ConfigError) -> String? {
    switch config.login {
    case nil: return nil
    case .basic(let user, let password):
      let secret = try await SecretReader.shared.read(password, environment: environment)
      return basicAuthorization(user: user, password: secret.reveal())
    case .bearer(let source):
      let token = try await SecretReader.shared.read(source, environment: environment).reveal()
      guard !token.isEmpty, token.utf8.allSatisfy({ (0x21..<0x7F).contains($0) }) else {
        throw ConfigError(
          .commandLine, path: "alerting.alertmanagers", problem: "the bearer token of \(address) is empty or not ASCII",
          hint: "give the token alone, without spaces")
      }
      return "Bearer \(token)"
    }
  }
}

extension TLSClientSettings {
  public init(_ config: TLSConfig?) {
    self.init()
    guard let config else { return }
    caFile = config.authoritiesFile
    certificateFile = config.certificateFile
    keyFile = config.keyFile
    serverName = config.serverName
    skipsVerification = config.isVerificationSkipped
  }
}

/// How far another machine's clock is before ours, from the `Date` of its response.
enum ClockOffset {
  /// Farther than this no end is moved, whatever a server claims.
  static let limitSeconds = 86_400.0
  /// `Date` has whole seconds: less than this is taken for none.
  static let leastSeconds = 2.0

  /// Seconds, to about half a second and half the round trip; nil when the response has no usable `Date`.
  static func seconds(_ response: HTTPResponse) -> Double? {
    guard let date = response.header("Date").flatMap({ HTTPDate.parse($0) }) else { return nil }
    // The time was cut to a second some way through the round trip.
    return Double(date) + 0.5 - (response.sent.seconds + response.answered.seconds) / 2
  }

  /// By how much ends are moved, in whole seconds.
  static func correctionMilliseconds(_ offsetSeconds: Double?) -> Int64 {
    guard let offsetSeconds, abs(offsetSeconds) >= leastSeconds else { return 0 }
    return Int64(clamping: min(max(offsetSeconds, -limitSeconds), limitSeconds).rounded()) * 1000
  }
}
