import Glibc
import Runtime

/// How far a command is, where somebody looks on: a line of the terminal that the next writes over.
enum Progress {
  /// - Parameter text: empty takes the line away.
  static func show(_ text: String) {
    guard isatty(STDERR_FILENO) == 1 else { return }
    _ = LogQueue.put(Array("\r\u{1B}[K\(oneLine(String(text.prefix(78))))".utf8), to: STDERR_FILENO)
  }
}
