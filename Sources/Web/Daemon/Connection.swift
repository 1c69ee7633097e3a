import Glibc

/// One client's connection and the deadline it is under.
///
/// Touched only under the daemon's gate, which also keeps the descriptor from being closed, and given to another
/// connection, while the deadline's shutdown is on its way.
final class Connection {
  typealias Instant = ContinuousClock.Instant

  enum Phase {
    /// The handshake or the headers of a request are on their way since this moment.
    case header(since: Instant)
    /// No request since this moment.
    case idle(since: Instant)
    /// A request's body, its handling or its answer is on its way since this moment.
    case response(since: Instant)
  }

  /// What the deadlines demand now.
  enum Verdict {
    case fine
    /// The handler has used up its time.
    case answer(Exchange)
    /// The client has left while the handler works.
    case abandon(Exchange)
    /// The client has used up its time.
    case shutdown
  }

  let descriptor: Int32
  /// What stands for one client; see ``Request/client``.
  let client: String
  var phase: Phase
  var exchange: Exchange?
  /// Held because the TLS session uses them until it ends.
  var tls: TLSContext?

  /// It is about to be gone.
  private(set) var isGivenUp = false

  init(descriptor: Int32, client: String, now: Instant) {
    self.descriptor = descriptor
    self.client = client
    phase = .header(since: now)
  }

  /// Ends it; the daemon then hears of that.
  func giveUp() {
    isGivenUp = true
    shutdown(descriptor, Int32(SHUT_RDWR))
  }

  func verdict(now: Instant, _ deadlines: Deadlines) -> Verdict {
    switch phase {
    case .header(let since):
      return now - since > deadlines.header ? .shutdown : .fine
    case .idle(let since):
      // libmicrohttpd does not report the first bytes of a further request, but the kernel does.
      if let received = lastReceived(descriptor, now: now), received > since + .milliseconds(20) {
        phase = .header(since: received)
      }
      return now - since > deadlines.idle ? .shutdown : .fine
    case .response(let since):
      if now - since > deadlines.response { return .shutdown }
      guard let exchange, exchange.isWaiting else { return .fine }
      if now - since > deadlines.handler { return .answer(exchange) }
      return hasLeft(descriptor) ? .abandon(exchange) : .fine
    }
  }
}

/// How long each part of a request may take.
struct Deadlines: Sendable {
  let header: Duration
  let idle: Duration
  let handler: Duration
  let response: Duration

  init(_ options: ServerLimits) {
    header = .seconds(options.headerDeadlineSeconds)
    idle = .seconds(options.idleTimeoutSeconds)
    response = .seconds(options.responseDeadlineSeconds)
    handler = response * 0.9
  }

  /// How often they are looked at.
  var resolution: Duration { max(.milliseconds(10), min(.seconds(1), header / 4, response / 20)) }
}

/// When the peer last sent something, to about 4 ms. Nil for sockets that are not TCP.
private func lastReceived(_ descriptor: Int32, now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
  guard let info = socketInfo(descriptor) else { return nil }
  return now - .milliseconds(Int(info.tcpi_last_data_recv))
}

/// Whether the peer has closed its side or reset the connection. A suspended connection is not read, so only the kernel
/// knows.
private func hasLeft(_ descriptor: Int32) -> Bool {
  guard let info = socketInfo(descriptor) else { return false }
  return Int(info.tcpi_state) == TCP_CLOSE_WAIT || Int(info.tcpi_state) == TCP_CLOSE
}

private func socketInfo(_ descriptor: Int32) -> tcp_info? {
  var info = tcp_info()
  var length = socklen_t(MemoryLayout<tcp_info>.size)
  guard unsafe getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &info, &length) == 0 else { return nil }
  return info
}
