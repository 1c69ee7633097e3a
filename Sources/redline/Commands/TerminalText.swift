import API
import Runtime
import Web

/// Lines for a terminal of some width.
struct TerminalText {
  let paint: Paint
  /// Longer lines are cut.
  let columns: Int

  init(paint: Paint, columns: Int) {
    self.paint = paint
    self.columns = max(40, columns)
  }

  /// How long ago; empty where that is not known.
  func age(_ time: String?, now: WallTime) -> String {
    guard let time, let milliseconds = RFC3339.milliseconds(time) else { return "" }
    return TimeSeries.Unit.seconds.words(max(0, now - WallTime(epochMs: milliseconds)))
  }

  /// - Parameter indent: columns that stand before it.
  func cut(_ text: String, by indent: Int = 0) -> String {
    let line = oneLine(text)
    return line.count > columns - indent ? line.prefix(columns - indent - 1) + "…" : line
  }

  func wrapped(_ text: String) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in oneLine(text).split(separator: " ") {
      if !line.isEmpty, line.count + 1 + word.count > columns {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    return line.isEmpty ? lines : lines + [line]
  }
}
