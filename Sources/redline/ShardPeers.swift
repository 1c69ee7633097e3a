import API
import Alerting
import Config
import HTTPClient
import Logging
import Metrics
import NIOCore
import Runtime
import Transport

/// Asks the daemons of `shards.urls`, which share the workloads of the file with this one.
final class ShardPeers: Sendable {
  /// The most of one answer: a thousand nodes come to about 1 MB.
  private static let answerBytes = 16 << 20
  private static let answerDepth = 16
  /// For so long an answer serves everybody who asks for the same.
  private static let sharedTime: Duration = .seconds(2)
  private static let lookInterval: Duration = .seconds(5)

  private struct Peer: Sendable {
    let address: HTTPAddress
    let peer: HTTPPeer
  }
  private struct Asked: Sendable {
    let began: ContinuousClock.Instant
    let answers: Task<[OtherShards.Answer], Never>
  }
  private struct State {
    var config: ShardsConfig?
    var peers: [Peer] = []
    var asked: [String: Asked] = [:]
    /// Whether each other shard answered when they were asked last.
    var presence: [(shard: Int, isThere: Bool)] = []
  }

  private let state = Lock(State())
  private let shard: Shard?
  private let context: HTTPContext
  private let environment: [String: String]
  private let log: Logger

  init(_ shard: Shard?, group: any EventLoopGroup, environment: [String: String], log: Logger) {
    self.shard = shard
    self.environment = environment
    self.log = log
    context = HTTPContext(group: group)
  }

  /// Takes over a configuration; without a shard nobody is asked.
  func apply(_ config: ShardsConfig?) {
    let old = state.withLock { state -> [Peer] in
      guard shard != nil, state.config != config else { return [] }
      let old = state.peers
      state.config = config
      state.asked = [:]
      state.peers = (config?.urls ?? []).map { address in
        let origin = HTTPOrigin(usesTLS: address.usesTLS, host: address.host, port: address.port)
        return Peer(
          address: address,
          peer: HTTPPeer(
            origin, tls: TLSClientSettings(config?.tls), limits: HTTPLimits(responseBytes: Self.answerBytes),
            in: context))
      }
      return old
    }
    for one in old { one.peer.close() }
  }

  /// What all of them answer, at the latest when `shards.timeout` is over.
  ///
  /// - Parameter target: below `/api/v1/`.
  func ask(_ target: String) async -> [OtherShards.Answer] {
    let now = ContinuousClock.now
    let asked = state.withLock { state -> Asked? in
      guard let config = state.config, !state.peers.isEmpty else { return nil }
      state.asked = state.asked.filter { now - $0.value.began < Self.sharedTime }
      if let known = state.asked[target] { return known }
      let peers = state.peers
      let asked = Asked(began: now, answers: Task { await self.ask(target, of: peers, config) })
      state.asked[target] = asked
      return asked
    }
    return await asked?.answers.value ?? []
  }

  private func ask(_ target: String, of peers: [Peer], _ config: ShardsConfig) async -> [OtherShards.Answer] {
    var headers: [(name: String, value: String)] = [("Accept", "application/json"), ("User-Agent", "redline")]
    do {
      if let login = try await authorization(config.login) { headers.append(("Authorization", login)) }
    } catch {
      return peers.map { OtherShards.Answer(url: "\($0.address)", data: nil, problem: "\(error)") }
    }
    let deadline = NIODeadline.now() + TimeAmount(config.timeout)
    return await withTaskGroup(of: (Int, OtherShards.Answer).self) { group in
      for (index, one) in peers.enumerated() {
        let request = HTTPRequest(.get, "\(one.address.path)/api/v1/\(target)", headers: headers)
        group.addTask { (index, await Self.answer(of: one, request, deadline)) }
      }
      var answers: [(Int, OtherShards.Answer)] = []
      for await one in group { answers.append(one) }
      return answers.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  private static func answer(
    of one: Peer, _ request: HTTPRequest, _ deadline: NIODeadline
  ) async -> OtherShards.Answer {
    let url = "\(one.address)"
    func none(_ problem: String) -> OtherShards.Answer {
      OtherShards.Answer(url: url, data: nil, problem: oneLine(problem.cut(toBytes: ForeignText.byteLimit)))
    }
    let response: HTTPResponse
    do throws(HTTPClientError) { response = try await one.peer.send(request, deadline: deadline) } catch {
      return none(error.message)
    }
    if response.status == 401 { return none("it refuses the login of shards") }
    guard response.isSuccess else { return none("it answers \(response.status)") }
    return await withTaskExecutorPreference(WorkExecutor.compute) {
      let limits = JSONReader.Limits(bytes: answerBytes, depth: answerDepth)
      guard let data = (try? JSONReader.value(response.body, limits: limits))?["data"] else {
        return none("its answer is none of a redline of this version")
      }
      return OtherShards.Answer(url: url, data: data)
    }
  }

  /// Read again each time, so that a rotated password or token serves from the next request on.
  private func authorization(_ login: AlertmanagerConfig.Login?) async throws(ConfigError) -> String? {
    switch login {
    case nil: return nil
    case .basic(let user, let password):
      let secret = try await SecretReader.shared.read(password, environment: environment)
      return basicAuthorization(user: user, password: secret.reveal())
    case .bearer(let source):
      return "Bearer \(try await SecretReader.shared.read(source, environment: environment).reveal())"
    }
  }

  // MARK: Who is there

  /// Looks whether the others are there, until the task is cancelled.
  func run(_ others: OtherShards) async {
    while !Task.isCancelled {
      let presence = await others.presence()
      let before = state.withLock { state in
        let before = state.presence
        state.presence = presence
        return before
      }
      for one in presence where before.first(where: { $0.shard == one.shard })?.isThere ?? true != one.isThere {
        if one.isThere {
          log.info("another shard answers again", metadata: ["shard": "\(one.shard)"])
        } else {
          log.warning("another shard gives no answer", metadata: ["shard": "\(one.shard)"])
        }
      }
      try? await Task.sleep(for: Self.lookInterval)
    }
  }

  func samples() -> Samples {
    let presence = state.withLock { $0.presence }
    guard let shard, !presence.isEmpty else { return .none }
    var sink = SampleSink()
    for one in presence {
      sink.add(ShardFamilies.up, one.isThere ? 1 : 0, [.text("\(one.shard)"), .text("\(shard.count)")])
    }
    return sink.finish()
  }
}
