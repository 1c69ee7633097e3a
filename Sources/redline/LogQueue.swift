import Config
import Glibc
import Runtime

/// The lines that wait for standard error. One thread writes them and may wait for the reader; nobody else does.
///
/// While nobody reads, lines beyond the limits are dropped, and a line says how many once there is room again.
final class LogQueue: Sendable {
  static let standardError = LogQueue(STDERR_FILENO)

  static let lineLimit = 10_000
  static let byteLimit = 1 << 20

  private struct State {
    var waiting: [[UInt8]] = []
    /// Lines that are not written yet, with those that the thread has taken, and their bytes.
    var lineCount = 0
    var byteCount = 0
    /// Lines dropped since the last line that said so.
    var untoldCount = 0
    var droppedTotal = 0
    var isStarted = false
    var format = LogFormat.txt

    mutating func append(_ line: [UInt8]) {
      waiting.append(line)
      lineCount += 1
      byteCount += line.count
    }

    /// Puts what was dropped into words, where something was.
    mutating func tell() {
      guard untoldCount > 0 else { return }
      let count = untoldCount
      untoldCount = 0
      append(
        format.line(
          time: .now(), level: "warn",
          message: "\(count) log lines were dropped: nobody read standard error"))
    }
  }

  private let descriptor: Int32
  private let state = Lock(State())
  private let wakeup = Semaphore()

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  /// Lines that nobody will see: dropped, or refused by what they were written to.
  var droppedTotal: Int { state.withLock { $0.droppedTotal } }

  /// How the queue's own lines are written.
  func use(_ format: LogFormat) { state.withLock { $0.format = format } }

  /// Takes a line with its newline. It is written soon, in the order of the calls.
  ///
  /// - Parameter isNeeded: it is kept however full the queue is.
  func write(_ line: [UInt8], isNeeded: Bool = false) {
    let mustStart = state.withLock { state -> Bool in
      guard isNeeded || (state.lineCount < Self.lineLimit && state.byteCount + line.count <= Self.byteLimit) else {
        state.untoldCount += 1
        state.droppedTotal += 1
        return false
      }
      state.tell()
      state.append(line)
      defer { state.isStarted = true }
      return !state.isStarted
    }
    if mustStart, !startThread(named: "log", { self.run() }) {
      // Without a thread the log is as it is for programs without one.
      state.withLock { $0.isStarted = false }
      return drain()
    }
    wakeup.signal()
  }

  /// Waits until every line is written, for that long at most.
  func flush(within limit: Duration) {
    let end = ContinuousClock.now + limit
    while state.withLock({ $0.lineCount > 0 }), .now < end { pause(.milliseconds(1)) }
  }

  private func run() {
    while true {
      wakeup.wait()
      drain()
    }
  }

  private func drain() {
    while true {
      let lines = state.withLock { state in
        if state.lineCount == 0 { state.tell() }
        defer { state.waiting = [] }
        return state.waiting
      }
      if lines.isEmpty { return }
      for line in lines {
        let isWritten = Self.put(line, to: descriptor)
        state.withLock { state in
          state.lineCount -= 1
          state.byteCount -= line.count
          if !isWritten { state.droppedTotal += 1 }
        }
      }
    }
  }

  /// Writes all of it: by one write(2) where the system takes the line whole, so that lines of several processes do not mix.
  static func put(_ line: [UInt8], to descriptor: Int32) -> Bool {
    var rest = line[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count >= 0 {
        rest = rest.dropFirst(count)
      } else if errno == EAGAIN {
        var waited = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        unsafe poll(&waited, 1, -1)
      } else if errno != EINTR {
        return false
      }
    }
    return true
  }
}
