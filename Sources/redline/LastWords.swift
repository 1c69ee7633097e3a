import Glibc

/// What the process says when it ends in a way that nobody chose, and an end for one that does not come by itself.
///
/// It works without the pools, the loops and the log, since they may be what stands still.
@safe enum LastWords {
  /// From the signal that asks for the end until it is forced: what ``ConfiguredFleet/drainDeadline`` allows, and to close files.
  static let endSeconds: UInt32 = 11

  /// From now on a fault writes a line to standard error before it ends the process as it would have anyway.
  ///
  /// - Parameter limits: of memory, in words: they may be the reason.
  static func install(limits: String) {
    for (place, (number, name)) in faults.enumerated() {
      unsafe texts[place] = line(
        """
        ended by \(name): a check of its own failed, or there was no memory left (\(limits)). \
        Where memory is to spare, please report it with the lines above.
        """)
      var action = sigaction()
      unsafe action.__sigaction_handler.sa_handler = tellOfFault
      unsafe sigaction(number, &action, former + place)
    }
    unsafe texts[faults.count] = line(
      """
      ended by force: the end that was asked for did not come within \(endSeconds) s. \
      What is stored is whole; if it happens again, please report it with the lines above.
      """)
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = forceEnd
    unsafe sigaction(SIGALRM, &action, nil)
  }

  /// From now on SIGTERM and SIGINT end the process within ``endSeconds``, whatever becomes of the orderly end that they
  /// ask for. To be called once that is set up.
  static func limitEnd() {
    for (place, number) in endings.enumerated() {
      var action = sigaction()
      unsafe sigaction(number, nil, &action)
      // 0 and 1 stand for the default and for nothing.
      let handler = unsafe action.__sigaction_handler.sa_handler
      unsafe orderly[place] = unsafeBitCast(handler, to: Int.self) > 1 ? handler : nil
      unsafe action.__sigaction_handler.sa_handler = askForEnd
      unsafe sigaction(number, &action, nil)
    }
  }

  private static func line(_ text: String) -> UnsafeBufferPointer<UInt8> {
    let bytes = Array("redline: \(text)\n".utf8)
    let line = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
    _ = unsafe line.initialize(from: bytes)
    return UnsafeBufferPointer(line)
  }
}

/// Signals that end the process for a fault of its own: a failed precondition is SIGILL or SIGTRAP.
private let faults = [
  (SIGILL, "SIGILL"), (SIGTRAP, "SIGTRAP"), (SIGABRT, "SIGABRT"), (SIGSEGV, "SIGSEGV"), (SIGBUS, "SIGBUS"),
  (SIGFPE, "SIGFPE"),
]
private let endings = [SIGTERM, SIGINT]

// What handlers use is made before they are installed; they neither allocate nor wait.
private typealias Handler = @convention(c) (Int32) -> Void
nonisolated(unsafe) private let texts = UnsafeMutablePointer<UnsafeBufferPointer<UInt8>>.allocate(capacity: 7)
nonisolated(unsafe) private let former = UnsafeMutablePointer<sigaction>.allocate(capacity: 6)
nonisolated(unsafe) private let orderly = UnsafeMutablePointer<Handler?>.allocate(capacity: 2)

/// Nobody may read standard error: it is written to where that does not wait.
private func tell(_ text: UnsafeBufferPointer<UInt8>) {
  var place = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
  guard unsafe poll(&place, 1, 0) == 1 else { return }
  _ = unsafe write(STDERR_FILENO, text.baseAddress, text.count)
}

private func tellOfFault(_ number: Int32) {
  for place in 0..<6 where faults[place].0 == number {
    unsafe tell(texts[place])
    unsafe sigaction(number, former + place, nil)
  }
  raise(number)
}

private func askForEnd(_ number: Int32) {
  let left = alarm(LastWords.endSeconds)
  if left > 0 { alarm(left) }
  for place in 0..<2 where endings[place] == number { unsafe orderly[place]?(number) }
}

private func forceEnd(_: Int32) {
  unsafe tell(texts[6])
  _exit(1)
}
