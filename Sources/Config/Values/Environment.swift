import Glibc

/// The environment of this process. Entries that are not `NAME=value` are left out; of a name given twice the first
/// counts.
public func processEnvironment() -> [String: String] {
  var result: [String: String] = [:]
  var next: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> = unsafe environ
  while let entry = unsafe next.pointee {
    let text = unsafe String(cString: entry)
    if let equals = text.firstIndex(of: "=") {
      let name = String(text[..<equals])
      if result[name] == nil { result[name] = String(text[text.index(after: equals)...]) }
    }
    unsafe next += 1
  }
  return result
}

/// Where a command's output goes.
public struct OutputTerminal: Sendable {
  public let isTerminal: Bool
  /// 80 where that is not known.
  public let columns: Int
  /// nil where the output is no terminal, and may be as long as it likes.
  public let rows: Int?

  public init(environment: [String: String]) {
    isTerminal = isatty(STDOUT_FILENO) == 1
    var size = winsize()
    let isKnown = unsafe isTerminal && ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    columns = environment["COLUMNS"].flatMap { Int($0) } ?? (isKnown ? Int(size.ws_col) : 80)
    rows = isTerminal ? environment["LINES"].flatMap { Int($0) } ?? (isKnown ? Int(size.ws_row) : 24) : nil
  }
}
