import Config
import Runtime

/// Colours of levels and states, where the output is a terminal that wants them.
struct Paint {
  var hasColours = false

  init() {}

  /// What the standard output takes.
  init(environment: [String: String]) {
    self.init(isTerminal: OutputTerminal(environment: environment).isTerminal, environment)
  }

  /// Not where NO_COLOR is set (no-color.org).
  fileprivate init(isTerminal: Bool, _ environment: [String: String]) {
    hasColours = isTerminal && environment["NO_COLOR"]?.isEmpty ?? true
  }

  func level(_ text: String, _ level: String) -> String {
    guard hasColours else { return text }
    let code =
      switch level {
      case "critical": "1;31"
      case "degraded", "warning": "33"
      case "healthy", "over": "32"
      default: "35"
      }
    return "\u{1B}[\(code)m\(text)\u{1B}[0m"
  }
}

/// The text with blanks behind it, up to a width.
func padded(_ text: String, _ width: Int) -> String {
  text.count >= width ? text : text + String(repeating: " ", count: width - text.count)
}

extension OutputTerminal {
  var paint: Paint { Paint(isTerminal: isTerminal, processEnvironment()) }
}
