import Runtime

extension CheckReport {
  private static let fields = ["check", "workload", "startedAt", "endedAt", "verdict", "numbers", "lines"]
  private static let nameBytes = 63
  /// How far two clocks may be apart.
  static let aheadSeconds: Double = 300

  /// Reads what ``write(to:)`` writes, from anybody.
  ///
  /// - Parameter now: a report that ended later is refused: it would stay the newest, and never grow old.
  /// - Throws: the first thing that is wrong with it.
  public init(json bytes: [UInt8], now: WallTime) throws(IntakeError) {
    guard bytes.count <= Self.limitBytes else {
      throw IntakeError(
        "the result", "has more than \(Self.limitBytes) bytes", hint: "leave out numbers and lines that nobody needs")
    }
    let json: JSONValue
    do throws(JSONError) {
      json = try JSONReader.value(bytes, limits: JSONReader.Limits(bytes: Self.limitBytes, depth: 8))
    } catch {
      throw IntakeError(
        "the result", "is no JSON: \(error)", hint: "write one object with check, workload, verdict")
    }
    guard case .object(let members) = json else {
      throw IntakeError("the result", "is no object", hint: "write { \"check\": \"backup\", ... }")
    }
    if let unknown = members.first(where: { !Self.fields.contains($0.name) }) {
      throw IntakeError(
        "the result", value: unknown.name, "is no field of a result",
        hint: "it has \(Self.fields.joined(separator: ", "))")
    }
    let started = try Self.time(json, "startedAt", now)
    let ended = try Self.time(json, "endedAt", now)
    guard started <= ended else {
      throw IntakeError("endedAt", "lies before startedAt", hint: "give the end of the check")
    }
    self.init(
      check: try Self.name(json, "check"), workload: try Self.name(json, "workload"), startedAt: started,
      endedAt: ended,
      verdict: try Self.verdict(json, "verdict"), numbers: try Self.numbers(json), lines: try Self.lines(json))
  }

  private static func text(_ json: JSONValue, _ field: String, _ place: String, hint: String) throws(IntakeError)
    -> String
  {
    guard let value = json[field] else { throw IntakeError(place, "is missing", hint: hint) }
    guard let text = value.string else { throw IntakeError(place, "is no text", hint: hint) }
    return text
  }

  private static func name(_ json: JSONValue, _ field: String) throws(IntakeError) -> String {
    let hint = "use 1 to 63 letters, digits, dots, dashes and underscores, a letter or digit first"
    let text = try text(json, field, field, hint: hint)
    guard isName(text) else { throw IntakeError(field, value: text, "is no name", hint: hint) }
    return text
  }

  /// Whether the text may be the name of a check, and a part of the name of a file.
  static func isName(_ text: String) -> Bool {
    (1...nameBytes).contains(text.utf8.count) && text.utf8.first?.isASCIIAlphanumeric == true
      && text.utf8.allSatisfy { $0.isASCIIAlphanumeric || ".-_".utf8.contains($0) }
  }

  private static func verdict(
    _ json: JSONValue, _ field: String, at place: String = "verdict"
  ) throws(IntakeError) -> CheckResult.Answer {
    // Only a line may be an aside.
    let answers = CheckResult.Answer.allCases.filter { place != "verdict" || !$0.isAside }
    let words = answers.map(\.rawValue).joined(separator: ", ")
    let text = try text(json, field, place, hint: "use one of \(words)")
    guard let answer = answers.first(where: { $0.rawValue == text }) else {
      throw IntakeError(place, value: text, "is no verdict", hint: "use one of \(words)")
    }
    return answer
  }

  private static func time(_ json: JSONValue, _ field: String, _ now: WallTime) throws(IntakeError) -> WallTime {
    let hint = "give seconds since 1970, as `date +%s` does"
    guard let value = json[field] else { throw IntakeError(field, "is missing", hint: hint) }
    guard let seconds = value.number, seconds > 0 else { throw IntakeError(field, "is no time", hint: hint) }
    guard seconds <= now.seconds + aheadSeconds else {
      throw IntakeError(
        field, value: plain(seconds), "lies in the future", hint: "\(hint), and set the clocks of both machines")
    }
    return WallTime(seconds: seconds).toMilliseconds
  }

  private static func plain(_ number: Double) -> String {
    number == number.rounded() ? "\(Int64(clamping: number))" : "\(number)"
  }

  private static func numbers(_ json: JSONValue) throws(IntakeError) -> [String: Double] {
    guard let value = json["numbers"] else { return [:] }
    guard case .object(let members) = value else {
      throw IntakeError("numbers", "is no object", hint: "write { \"load_seconds\": 12.5 }")
    }
    guard members.count <= numberLimit else {
      throw IntakeError("numbers", "has more than \(numberLimit) entries", hint: "leave out what nobody needs")
    }
    var numbers: [String: Double] = [:]
    for member in members {
      guard isNumberName(member.name) else {
        throw IntakeError(
          "numbers", value: member.name, "is no name of a number",
          hint: "use 1 to 63 small letters, digits and underscores, a letter first")
      }
      guard let number = member.value.number else {
        throw IntakeError("numbers.\(member.name)", "is no number", hint: "write it like 12.5, without quotes")
      }
      numbers[member.name] = number
    }
    return numbers
  }

  private static func isNumberName(_ text: String) -> Bool {
    func isSmall(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    return (1...nameBytes).contains(text.utf8.count) && text.utf8.first.map(isSmall) == true
      && text.utf8.allSatisfy {
        isSmall($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "_")
      }
  }

  private static func lines(_ json: JSONValue) throws(IntakeError) -> [Line] {
    guard let value = json["lines"] else { return [] }
    let hint = "write [ { \"verdict\": \"ok\", \"text\": \"...\" } ]"
    guard case .array(let elements) = value else { throw IntakeError("lines", "is no list", hint: hint) }
    guard elements.count <= lineLimit else {
      throw IntakeError("lines", "has more than \(lineLimit) entries", hint: "leave out what nobody needs")
    }
    var lines: [Line] = []
    for (index, element) in elements.enumerated() {
      let place = "lines[\(index)]"
      guard case .object = element else { throw IntakeError(place, "is no object", hint: hint) }
      lines.append(
        Line(
          try verdict(element, "verdict", at: "\(place).verdict"),
          shown(try text(element, "text", "\(place).text", hint: "say in a sentence what was found"))))
    }
    return lines
  }
}
