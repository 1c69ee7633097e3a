import Glibc

/// The terminal that controls the process, wherever standard input and output lead.
public enum ControllingTerminal {
  /// As long as a line that is typed may be.
  private static let byteLimit = 256

  /// Asks a question there and reads one line. Blocks the thread.
  ///
  /// - Returns: the line without its end; nil where there is no terminal, where the process runs in the background, and where
  ///   no line was typed in time.
  public static func line(prompt: String, within limit: Duration) -> String? {
    let descriptor = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    // Reading would stop a process of the background.
    guard tcgetpgrp(descriptor) == getpgrp() else { return nil }
    // What was typed, or pasted, before the question is no answer to it.
    tcflush(descriptor, TCIFLUSH)
    let question = Array(prompt.utf8)
    guard unsafe question.withUnsafeBytes({ unsafe write(descriptor, $0.baseAddress, $0.count) }) == question.count
    else { return nil }
    let end = Monotonic.now + limit / .seconds(1)
    var line: [UInt8] = []
    while line.count < byteLimit {
      let left = end - .now
      guard left > 0 else { return nil }
      var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard unsafe poll(&wait, 1, Int32(clamping: Int(clamping: (left * 1000).rounded(.up)))) > 0 else {
        if errno == EINTR { continue }
        return nil
      }
      var byte: UInt8 = 0
      guard unsafe read(descriptor, &byte, 1) == 1 else { return nil }
      if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
      line.append(byte)
    }
    return nil
  }
}
