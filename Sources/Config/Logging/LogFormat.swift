import Runtime

/// How a log line is written.
public enum LogFormat: String, Sendable, CaseIterable {
  /// `time=… level=info msg="…" key=value`
  case txt
  /// One JSON object.
  case json

  /// The line with its newline, in UTF-8. The fields follow time, level and message in the order given; a field with an
  /// empty name is left out. No value can end the line or pass for another field.
  public func line(
    time: Timestamp, level: String, message: String, fields: [(name: String, value: String)] = []
  ) -> [UInt8] {
    let all = [("time", time.description), ("level", level), ("msg", message)] + fields.filter { !$0.name.isEmpty }
    var line: [UInt8] = []
    line.reserveCapacity(64 + all.reduce(0) { $0 + $1.0.utf8.count + $1.1.utf8.count + 6 })
    switch self {
    case .txt:
      for (index, (name, value)) in all.enumerated() {
        if index > 0 { line.append(UInt8(ascii: " ")) }
        line += Self.bareName(name)
        line.append(UInt8(ascii: "="))
        if Self.isBare(value) { line += value.utf8 } else { line += Self.quoted(value) }
      }
    case .json:
      var json = JSONWriter(escaping: .invisible)
      json.object { json in for (name, value) in all { json.field(name, value) } }
      line += json.bytes
    }
    line.append(UInt8(ascii: "\n"))
    return line
  }

  private static func bareName(_ name: String) -> [UInt8] {
    let forbidden = Array("=\"\u{7F}".utf8)
    return name.utf8.map { $0 <= 0x20 || forbidden.contains($0) ? UInt8(ascii: "_") : $0 }
  }

  private static func isBare(_ value: String) -> Bool {
    !value.isEmpty
      && value.utf8.allSatisfy { byte in
        byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "=")
          && byte != UInt8(ascii: "\\")
      }
  }

  /// In double quotes with JSON's escapes, which logfmt readers know too; whatever a terminal or viewer would act on
  /// instead of showing it is escaped as well.
  private static func quoted(_ text: String) -> [UInt8] {
    var json = JSONWriter(escaping: .invisible)
    json.string(text)
    return json.bytes
  }
}

/// How severe a message must be to be logged.
public enum LogLevel: String, Sendable, CaseIterable {
  case debug = "DEBUG"
  case info = "INFO"
  case warning = "WARN"
  case error = "ERROR"

  /// The words that name a level; WARNING is WARN.
  static let words = ["DEBUG", "INFO", "WARN", "WARNING", "ERROR"]

  init?(word: String) {
    self.init(rawValue: word == "WARNING" ? "WARN" : word)
  }
}
