/// A script of Prometheus' PromQL test language: commands that load series, evaluate queries and say what they give.
public struct Script: Sendable {
  enum Command: Sendable {
    case clear
    case load(stepMilliseconds: Int64, [SeriesNotation])
    /// Series of native histograms or with start times: what selects them cannot be judged.
    case loadUnsupported([Labels])
    case eval(Eval)
  }

  let file: String
  let commands: [Command]

  /// Why a script cannot be read: `file:line: reason`.
  public struct Fault: Error, Sendable, CustomStringConvertible {
    public let description: String
  }

  /// - Parameter file: the name that messages give.
  public init(_ text: String, file: String) throws(Fault) {
    self.file = file
    var reader = ScriptReader(text, file: file)
    commands = try reader.commands()
  }

  /// How many queries it evaluates.
  public var evalCount: Int {
    commands.count { if case .eval = $0 { true } else { false } }
  }
}

extension Script {
  /// A query with what is expected of it.
  struct Eval: Sendable {
    enum Moment: Sendable {
      case instant(Int64)
      case range(from: Int64, through: Int64, stepMilliseconds: Int64)
    }

    let line: Int
    let query: String
    let moment: Moment
    var expectations: [Expectation] = []
    var result = Result.series([])

    var isOrdered: Bool { expectations.contains { $0.kind == .ordered } }
    var mustFail: Bool { expectations.contains { $0.kind == .fail } }
  }

  /// A line that starts with `expect`, or what the ending of `eval_…` stands for.
  struct Expectation: Sendable {
    enum Kind: String, Sendable {
      case fail, warn, info, ordered
      case noWarning = "no_warn"
      case noInfo = "no_info"
    }
    enum Text: Sendable {
      case any
      case exactly(String)
      /// Found anywhere.
      case matching(Regex)
    }

    let kind: Kind
    var text = Text.any

    func accepts(_ message: String) -> Bool {
      switch text {
      case .any: true
      case .exactly(let expected): message == expected
      case .matching(let regex): regex.matches(message)
      }
    }
  }

  /// What a query is to give.
  enum Result: Sendable {
    case scalar(Double)
    case string(String)
    /// One value for each step, in the order of the lines.
    case series([SeriesNotation])
    /// A range vector, with the times that its values have.
    case ranges(from: Int64, stepMilliseconds: Int64, [SeriesNotation])
    /// Native histograms.
    case unsupported
  }
}

/// Reads a script line by line. A block ends at a blank line or a comment.
struct ScriptReader {
  private let file: String
  private let lines: [String]
  private var index = 0

  init(_ text: String, file: String) {
    self.file = file
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      let trimmed = Self.trimmed(line)
      return trimmed.hasPrefix("#") ? "" : String(trimmed)
    }
  }

  mutating func commands() throws(Script.Fault) -> [Script.Command] {
    var commands: [Script.Command] = []
    while index < lines.count {
      let line = lines[index]
      index += 1
      if line.isEmpty { continue }
      var words = Words(line)
      let command = words.next().lowercased()
      switch command {
      case "clear": commands.append(.clear)
      case "load", "load_with_nhcb": commands += try load(&words, makesNativeHistograms: command != "load")
      case "eval", "eval_fail", "eval_ordered", "eval_warn", "eval_info":
        commands.append(.eval(try eval(command, &words)))
      default: throw fault("unknown command \(quoted(command)); use load, clear or eval")
      }
    }
    return commands
  }

  private mutating func load(
    _ words: inout Words, makesNativeHistograms: Bool
  ) throws(Script.Fault) -> [Script.Command] {
    let step = try duration(words.next())
    guard step > 0 else { throw fault("load needs a step above 0") }
    var series: [SeriesNotation] = []
    var unsupported: [Labels] = []
    while let line = nextOfBlock() {
      // `name{…}@st`: when counters started, which only experimental functions look at.
      if let marker = line.firstRange(of: "@st ") {
        let notation = try read(String(line[..<marker.lowerBound]))
        if case .success(let series) = notation { unsupported.append(series.labels) }
        continue
      }
      switch try read(line) {
      case .success(let notation):
        series.append(notation)
        if makesNativeHistograms { unsupported.append(Self.nativeHistogram(of: notation.labels)) }
      case .failure(let histogram): unsupported.append(histogram.labels)
      }
    }
    return [.load(stepMilliseconds: step, series), .loadUnsupported(unsupported)]
  }

  /// What `load_with_nhcb` makes of a classic histogram's series.
  private static func nativeHistogram(of labels: Labels) -> Labels {
    let name = labels[Labels.metricName] ?? ""
    let suffix = ["_bucket", "_count", "_sum"].first(where: name.hasSuffix) ?? ""
    return labels.setting("le", to: "").setting(Labels.metricName, to: String(name.dropLast(suffix.count)))
  }

  private mutating func eval(_ command: String, _ words: inout Words) throws(Script.Fault) -> Script.Eval {
    let line = index
    let moment: Script.Eval.Moment
    switch words.next() {
    case "instant":
      guard words.next() == "at" else { throw fault("expected: eval instant at TIME QUERY") }
      moment = .instant(try duration(words.next()))
    case "range":
      guard words.next() == "from" else { throw fault("expected: eval range from START to END step STEP QUERY") }
      let start = try duration(words.next())
      guard words.next() == "to" else { throw fault("expected to behind the start") }
      let end = try duration(words.next())
      guard words.next() == "step" else { throw fault("expected step behind the end") }
      moment = .range(from: start, through: end, stepMilliseconds: try duration(words.next()))
    default: throw fault("expected instant or range behind \(command)")
    }
    var eval = Script.Eval(line: line, query: words.rest, moment: moment)
    if let kind = Script.Expectation.Kind(rawValue: String(command.dropFirst("eval_".count))) {
      eval.expectations.append(Script.Expectation(kind: kind))
    }
    try expectations(&eval)
    return eval
  }

  private mutating func expectations(_ eval: inout Script.Eval) throws(Script.Fault) {
    var series: [SeriesNotation] = []
    var ranges: (from: Int64, step: Int64)?
    var other: Script.Result?
    while let line = nextOfBlock() {
      var words = Words(line)
      switch words.next() {
      case "expect" where line.hasPrefix("expect string"):
        _ = words.next()
        other = .string(try string(words.rest))
      case "expect" where line.hasPrefix("expect range vector"):
        let parts = line.split(whereSeparator: \.isWhitespace).map(String.init)
        guard parts.count == 9, parts[3] == "from", parts[5] == "to", parts[7] == "step" else {
          throw fault("expected: expect range vector from START to END step STEP")
        }
        ranges = (try duration(parts[4]), try duration(parts[8]))
      case "expect": eval.expectations.append(try expectation(words.rest))
      case "expected_fail_message":
        eval.expectations.append(.init(kind: .fail, text: .exactly(words.rest)))
      case "expected_fail_regexp":
        eval.expectations.append(.init(kind: .fail, text: try searching(words.rest)))
      default:
        if let number = Self.number(line) {
          other = .scalar(number)
        } else if case .success(let notation) = try read(line) {
          series.append(notation)
        } else {
          other = .unsupported
        }
      }
    }
    eval.result = other ?? ranges.map { .ranges(from: $0.from, stepMilliseconds: $0.step, series) } ?? .series(series)
  }

  /// What stands behind `expect`: `fail`, `warn msg: TEXT`, `info regex: PATTERN`.
  private func expectation(_ text: String) throws(Script.Fault) -> Script.Expectation {
    var words = Words(text)
    guard let kind = Script.Expectation.Kind(rawValue: words.next()) else {
      throw fault("expected one of fail, warn, info, no_warn, no_info, ordered behind expect")
    }
    let rest = words.rest
    if rest.isEmpty { return .init(kind: kind) }
    if rest.hasPrefix("msg:") {
      return .init(kind: kind, text: .exactly(String(Self.trimmed(rest.dropFirst(4)))))
    }
    if rest.hasPrefix("regex:") {
      return .init(kind: kind, text: try searching(String(Self.trimmed(rest.dropFirst(6)))))
    }
    throw fault("expected msg: or regex: behind \(kind.rawValue)")
  }

  private func searching(_ pattern: String) throws(Script.Fault) -> Script.Expectation.Text {
    do throws(RegexError) { return .matching(try Regex(".*(?:\(pattern)).*")) } catch { throw fault(error.description) }
  }

  private func read(
    _ line: String
  ) throws(Script.Fault) -> Swift.Result<SeriesNotation, SeriesNotation.NativeHistogram> {
    do {
      return .success(try SeriesNotation(line, origin: QueryOrigin(file: file, line: index)))
    } catch let histogram as SeriesNotation.NativeHistogram {
      return .failure(histogram)
    } catch {
      throw fault("\(error)")
    }
  }

  private func string(_ text: String) throws(Script.Fault) -> String {
    let bytes = Array(text.utf8)
    guard let first = bytes.first, "\"'`".utf8.contains(first), let read = try? StringSyntax.read(bytes, from: 0) else {
      throw fault("expected a string in quotes")
    }
    return read.value
  }

  private func duration(_ text: String) throws(Script.Fault) -> Int64 {
    if text == "0" { return 0 }
    guard let milliseconds = NumberSyntax.durationMilliseconds(text) else {
      throw fault("\(quoted(text)) is not a duration")
    }
    return milliseconds
  }

  private mutating func nextOfBlock() -> String? {
    guard index < lines.count, !lines[index].isEmpty else { return nil }
    index += 1
    return lines[index - 1]
  }

  /// About the line taken last.
  private func fault(_ message: String) -> Script.Fault { Script.Fault(description: "\(file):\(index): \(message)") }

  static func number(_ text: String) -> Double? {
    let isSigned = text.hasPrefix("-") || text.hasPrefix("+")
    let digits = String(isSigned ? text.dropFirst() : text[...])
    let value: Double? =
      switch digits.lowercased() {
      case "inf": .infinity
      case "nan": .nan
      default: NumberSyntax.number(digits, allowsUnderscores: true)
      }
    return value.map { text.hasPrefix("-") ? -$0 : $0 }
  }

  static func trimmed(_ text: Substring) -> Substring {
    var text = text
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}

/// The words of a line, taken from the front.
private struct Words {
  private var remaining: Substring

  init(_ line: String) { remaining = line[...] }

  /// Empty at the end of the line.
  mutating func next() -> String {
    remaining = ScriptReader.trimmed(remaining)
    let word = remaining.prefix { !$0.isWhitespace }
    remaining = remaining[word.endIndex...]
    return String(word)
  }

  var rest: String { String(ScriptReader.trimmed(remaining)) }
}
