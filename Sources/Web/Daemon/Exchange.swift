/// One request and its answer, from the request line to the last byte.
///
/// The daemon's thread and the handler's task both touch it, always under the daemon's gate.
@safe final class Exchange: @unchecked Sendable {
  enum Phase {
    /// The request line has been read.
    case arriving
    /// The headers have been read, the body is on its way.
    case receiving
    /// The handler has begun, on the daemon's thread.
    case starting
    /// The connection is suspended, the handler works.
    case waiting
    /// The handler has answered, the daemon's thread is to send it.
    case answered(Response)
    /// The answer is being sent.
    case sending
    /// The daemon has forgotten the request.
    case over
  }

  let target: String
  /// The daemon's handle, valid until ``Phase/over``.
  let handle: OpaquePointer
  var phase = Phase.arriving
  var body: [UInt8] = []
  var isBodyTooLong = false
  var task: Task<Void, Never>?

  init(target: String, handle: OpaquePointer) {
    self.target = target
    unsafe self.handle = handle
  }

  var isArriving: Bool {
    if case .arriving = phase { true } else { false }
  }

  var isWaiting: Bool {
    if case .waiting = phase { true } else { false }
  }
}
