import CMicrohttpd
import Glibc
import Runtime

/// The door to libmicrohttpd: one polling thread; a request that must wait for its answer is suspended until then.
///
/// Four rules of the library shape this file. Only a suspended connection may be resumed, so an answer that comes before
/// the suspension is left for the thread to find, under the lock that both take. An answer is given on a later call of
/// the handler, never the first, which closes the connection. Stopping with a suspended connection aborts the process,
/// so one lock guards both `isClosing` and the number of suspended connections. A suspended connection has no timeout,
/// and the others only one of inactivity, so deadlines are kept here and enforced with shutdown(2).
@safe final class Daemon: @unchecked Sendable {
  typealias Respond = @Sendable (Request) async -> Response

  /// What one lock guards: also every field of the connections and exchanges.
  struct Gate {
    var isClosing = false
    /// Suspended connections.
    var waitingCount = 0
    /// Requests whose headers are there and whose answer is not all gone.
    var activeCount = 0
    var connections: [Int32: Connection] = [:]
  }

  let gate = Lock(Gate())
  private let respond: Respond
  private let tls: (@Sendable () -> TLSContext)?
  private let deadlines: Deadlines
  private let seating: Seating
  private let listener: Int32
  private var handle: OpaquePointer?
  private var sweeper: Task<Void, Never>?

  /// Starts serving.
  ///
  /// - Parameters:
  ///   - listener: a listening socket; the daemon closes it when it stops.
  ///   - tls: gives the credentials of each new connection; nil for plain HTTP.
  init(
    listener: Int32, options: ServerLimits, tls: (@Sendable () -> TLSContext)?, respond: @escaping Respond
  ) throws(WebError) {
    self.respond = respond
    self.tls = tls
    self.listener = listener
    deadlines = Deadlines(options)
    seating = Seating(options)
    var settings = unsafe redline_daemon_settings()
    unsafe settings.listen_fd = listener
    unsafe settings.is_tls = tls == nil ? 0 : 1
    unsafe settings.connection_limit = UInt32(clamping: options.connectionLimit)
    unsafe settings.connection_memory_bytes = options.connectionMemoryBytes
    // Released when the daemon has stopped: its thread calls back until then.
    let context = unsafe Unmanaged.passRetained(self)
    unsafe settings.context = context.toOpaque()
    unsafe settings.request_line = { context, uri, connection in
      // A request line without a target has none.
      let target = unsafe uri.map { unsafe String(cString: $0) } ?? ""
      if let uri = unsafe uri { unsafe redline_forget_arguments(uri) }
      let exchange = unsafe Exchange(target: target, handle: connection!)
      unsafe Daemon.from(context).opened(exchange)
      return unsafe Unmanaged.passRetained(exchange).toOpaque()
    }
    unsafe settings.connection = { context, connection, socketContext, code in
      unsafe Daemon.from(context).notified(connection!, socketContext!, code)
    }
    unsafe settings.handler = { context, connection, _, method, _, upload, uploadSize, requestContext in
      let exchange = unsafe Unmanaged<Exchange>.fromOpaque(requestContext!.pointee!).takeUnretainedValue()
      return unsafe Daemon.from(context).handle(
        exchange, method!, UnsafeBufferPointer(start: upload, count: uploadSize!.pointee), uploadSize!)
    }
    unsafe settings.completed = { context, _, requestContext, _ in
      guard let pointer = unsafe requestContext!.pointee else { return }
      unsafe requestContext!.pointee = nil
      let exchange = unsafe Unmanaged<Exchange>.fromOpaque(pointer).takeRetainedValue()
      unsafe Daemon.from(context).completed(exchange)
    }
    guard let handle = unsafe redline_start_daemon(&settings) else {
      unsafe context.release()
      throw WebError("the HTTP server did not start: \(systemError(errno))")
    }
    unsafe self.handle = handle
    sweeper = Task { [weak self, deadlines] in
      while !Task.isCancelled {
        try? await Task.sleep(for: deadlines.resolution)
        self?.sweep()
      }
    }
  }

  private static func from(_ context: UnsafeMutableRawPointer?) -> Daemon {
    unsafe Unmanaged<Daemon>.fromOpaque(context!).takeUnretainedValue()
  }
}

// MARK: Calls of the library, all on its one thread.
extension Daemon {
  private func notified(
    _ connection: OpaquePointer, _ socketContext: UnsafeMutablePointer<UnsafeMutableRawPointer?>,
    _ code: MHD_ConnectionNotificationCode
  ) {
    let descriptor = unsafe redline_connection_fd(connection)
    guard code == .CONNECTION_NOTIFY_STARTED else {
      _ = gate.withLock { $0.connections.removeValue(forKey: descriptor) }
      return
    }
    let client = unsafe clientText(redline_connection_address(connection))
    let record = Connection(descriptor: descriptor, client: client, now: .now)
    if let tls, let session = unsafe redline_connection_session(connection) {
      let context = tls()
      unsafe context.apply(to: session)
      record.tls = context
    }
    gate.withLock { gate in
      gate.connections[descriptor] = record
      seating.victim(of: record, among: gate.connections.values, now: .now)?.giveUp()
    }
  }

  private func opened(_ exchange: Exchange) {
    let descriptor = unsafe redline_connection_fd(exchange.handle)
    gate.withLock { gate in
      guard let connection = gate.connections[descriptor] else { return }
      connection.exchange = exchange
      if case .idle = connection.phase { connection.phase = .header(since: .now) }
    }
  }

  private func completed(_ exchange: Exchange) {
    let descriptor = unsafe redline_connection_fd(exchange.handle)
    let task = gate.withLock { gate in
      if !exchange.isArriving { gate.activeCount -= 1 }
      exchange.phase = .over
      if let connection = gate.connections[descriptor], connection.exchange === exchange {
        connection.exchange = nil
        connection.phase = .idle(since: .now)
      }
      return exchange.task
    }
    task?.cancel()
  }

  private func handle(
    _ exchange: Exchange, _ method: UnsafePointer<CChar>, _ upload: UnsafeBufferPointer<CChar>,
    _ uploadSize: UnsafeMutablePointer<Int>
  ) -> MHD_Result {
    switch gate.withLock({ _ in exchange.phase }) {
    case .arriving:
      gate.withLock { gate in
        exchange.phase = .receiving
        gate.activeCount += 1
        gate.connections[unsafe redline_connection_fd(exchange.handle)]?.phase = .response(since: .now)
      }
      return .YES
    case .receiving where !upload.isEmpty:
      // A body that is too long is read to its end all the same, since an early answer would cut the connection;
      // the deadline bounds it.
      exchange.isBodyTooLong =
        exchange.isBodyTooLong || exchange.body.count + upload.count > Request.bodyLimitBytes
      if !exchange.isBodyTooLong { unsafe exchange.body.append(contentsOf: UnsafeRawBufferPointer(upload)) }
      unsafe uploadSize.pointee = 0
      return .YES
    case .receiving:
      return unsafe received(exchange, String(cString: method))
    case .answered(let response):
      return send(response, exchange)
    case .starting, .waiting, .sending, .over:
      return .YES
    }
  }

  private func received(_ exchange: Exchange, _ method: String) -> MHD_Result {
    if exchange.isBodyTooLong {
      return send(.text("413 request body is longer than \(Request.bodyLimitBytes) bytes\n", status: 413), exchange)
    }
    let descriptor = unsafe redline_connection_fd(exchange.handle)
    let headers = unsafe requestHeaders(exchange.handle)
    guard let target = RequestTarget(exchange.target) else {
      return send(
        .text("414 the target has more than \(RequestTarget.itemLimit) query arguments\n", status: 414), exchange)
    }
    let client = gate.withLock { gate -> String? in
      exchange.phase = .starting
      return gate.isClosing ? nil : gate.connections[descriptor]?.client ?? ""
    }
    guard let client else { return send(.unavailable("503 the server is stopping"), exchange) }
    let request = Request(
      method: method, path: target.path, query: target.query, headers: headers, body: exchange.body,
      client: client)
    // Runs here until it first waits for something: a page that is there already costs no other thread.
    let task = Task.immediate { [respond] in
      let response = await respond(request)
      self.answer(exchange, response)
    }
    let response = gate.withLock { gate -> Response? in
      if case .answered(let response) = exchange.phase { return response }
      if gate.isClosing { return .unavailable("503 the server is stopping") }
      gate.waitingCount += 1
      exchange.phase = .waiting
      exchange.task = task
      unsafe MHD_suspend_connection(exchange.handle)
      return nil
    }
    guard let response else { return .YES }
    task.cancel()
    return send(response, exchange)
  }

  private func send(_ response: Response, _ exchange: Exchange) -> MHD_Result {
    let isClosing = gate.withLock { gate in
      exchange.phase = .sending
      return gate.isClosing
    }
    return unsafe queue(response, on: exchange.handle, closing: isClosing)
  }
}

// MARK: Calls from tasks.
extension Daemon {
  /// Hands an answer over. Nothing happens when the exchange has been answered already.
  private func answer(_ exchange: Exchange, _ response: Response) {
    gate.withLock { gate in
      switch exchange.phase {
      case .starting: exchange.phase = .answered(response)
      case .waiting:
        exchange.phase = .answered(response)
        exchange.task = nil
        gate.waitingCount -= 1
        unsafe MHD_resume_connection(exchange.handle)
      case .arriving, .receiving, .answered, .sending, .over: break
      }
    }
  }

  /// Ends what is past its deadline.
  private func sweep() {
    let now = ContinuousClock.now
    let (late, abandoned) = gate.withLock { gate in
      var late: [Exchange] = []
      var abandoned: [Task<Void, Never>] = []
      for connection in gate.connections.values {
        switch connection.verdict(now: now, deadlines) {
        case .fine: break
        case .answer(let exchange): late.append(exchange)
        case .abandon(let exchange): if let task = exchange.task { abandoned.append(task) }
        case .shutdown: connection.giveUp()
        }
      }
      while let victim = seating.victim(among: gate.connections.values, now: now) { victim.giveUp() }
      return (late, abandoned)
    }
    // Who only closed its sending side still gets what the handler then answers.
    for task in abandoned { task.cancel() }
    for exchange in late { giveUp(on: exchange, "503 the request took too long") }
  }

  private func giveUp(on exchange: Exchange, _ reason: String) {
    let task = gate.withLock { _ in exchange.task }
    answer(exchange, .unavailable(reason))
    task?.cancel()
  }

  /// Stops: no new connection, every waiting request answered, then the thread ended and the socket closed.
  ///
  /// Handlers are cancelled at once and are to answer from what they have.
  /// - Parameter grace: the time for all that; a handler that hangs is answered for after three quarters of it.
  func stop(grace: Duration) async {
    let deadline = ContinuousClock.now + grace
    let tasks = gate.withLock { gate in
      gate.isClosing = true
      return gate.connections.values.compactMap { $0.exchange?.task }
    }
    unsafe MHD_quiesce_daemon(handle)
    for task in tasks { task.cancel() }
    await poll(until: deadline - grace / 4) { $0.waitingCount == 0 }
    let hung = gate.withLock { gate in gate.connections.values.compactMap { $0.exchange }.filter(\.isWaiting) }
    for exchange in hung { giveUp(on: exchange, "503 the server is stopping") }
    await poll(until: deadline) { $0.activeCount == 0 }
    sweeper?.cancel()
    await Task(executorPreference: WorkExecutor.files) { self.end() }.value
  }

  private func end() {
    unsafe MHD_stop_daemon(handle)
    unsafe handle = nil
    close(listener)
    unsafe Unmanaged.passUnretained(self).release()
  }

  private func poll(until deadline: ContinuousClock.Instant, _ condition: (Gate) -> Bool) async {
    while !gate.withLock({ condition($0) }), .now < deadline {
      try? await Task.sleep(for: .milliseconds(2))
    }
  }
}

/// All headers of a request, in order.
func requestHeaders(_ connection: OpaquePointer) -> [Request.Header] {
  var headers: [Request.Header] = []
  headers.reserveCapacity(8)
  unsafe withUnsafeMutablePointer(to: &headers) { headers in
    _ = unsafe MHD_get_connection_values(
      connection, .HEADER_KIND,
      { context, _, name, value in
        let headers = unsafe context!.assumingMemoryBound(to: [Request.Header].self)
        unsafe headers.pointee.append(
          .init(name: String(cString: name!), value: value.map { unsafe String(cString: $0) } ?? ""))
        return .YES
      }, headers)
  }
  return headers
}

/// Gives the daemon an answer to send.
///
/// The payload is lent, not copied: it is released when the last byte has gone.
func queue(_ response: Response, on connection: OpaquePointer, closing: Bool) -> MHD_Result {
  let payload = unsafe Unmanaged.passRetained(response.body)
  guard
    let prepared = unsafe MHD_create_response_from_buffer_with_free_callback_cls(
      response.body.count, response.body.baseAddress,
      { context in unsafe Unmanaged<Payload>.fromOpaque(context!).release() }, payload.toOpaque())
  else {
    unsafe payload.release()
    return .NO
  }
  defer { unsafe MHD_destroy_response(prepared) }
  unsafe MHD_add_response_header(prepared, "Content-Type", response.contentType)
  for header in response.headers { unsafe MHD_add_response_header(prepared, header.name, header.value) }
  if closing { unsafe MHD_add_response_header(prepared, "Connection", "close") }
  return unsafe MHD_queue_response(connection, UInt32(clamping: response.status), prepared)
}

/// What stands for one client: its IPv4 address, also where that came over IPv6, or the 64 bits of network that every IPv6
/// client has for itself; `unix` for other sockets.
func clientText(_ address: UnsafePointer<sockaddr>?) -> String {
  guard let address = unsafe address else { return "unknown" }
  let raw = unsafe UnsafeRawPointer(address)
  switch unsafe Int32(address.pointee.sa_family) {
  case AF_INET:
    let bytes = unsafe raw.assumingMemoryBound(to: sockaddr_in.self).pointee.sin_addr
    return unsafe withUnsafeBytes(of: bytes) { unsafe addressText(bytes: Array($0)[...]) }
  case AF_INET6:
    let address = unsafe raw.assumingMemoryBound(to: sockaddr_in6.self).pointee.sin6_addr
    let bytes = unsafe withUnsafeBytes(of: address) { unsafe Array($0) }
    let isIPv4 = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
    return addressText(bytes: isIPv4 ? bytes[12...] : (bytes[..<8] + Array(repeating: 0, count: 8))[...])
  default: return "unix"
  }
}

/// The text of a 4 or 16 byte address, as Go and the certificates' owners write it.
func addressText(bytes: ArraySlice<UInt8>) -> String {
  let family = bytes.count == 4 ? AF_INET : AF_INET6
  guard bytes.count == 4 || bytes.count == 16 else { return "" }
  var text = [CChar](repeating: 0, count: 64)
  let source = Array(bytes)
  guard unsafe inet_ntop(family, source, &text, socklen_t(text.count)) != nil else { return "" }
  return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
