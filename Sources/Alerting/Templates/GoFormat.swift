import PromQL

/// Text from values by Go's `fmt`: `%v`, `Sprint`, `Sprintf`.
enum GoFormat {
  /// The widest and most precise that a verb may ask for, as in Go.
  private static let numberLimit = 1_000_000

  static func plain(_ value: TemplateValue) -> String { Verb(letter: "v").format(value) }

  /// Values one after another, a space between two that are no strings.
  static func sprint(_ values: [TemplateValue]) -> String {
    var result = ""
    for (index, value) in values.enumerated() {
      if index > 0, !isString(value), !isString(values[index - 1]) { result += " " }
      result += plain(value)
    }
    return result
  }

  static func sprintln(_ values: [TemplateValue]) -> String {
    values.map(plain).joined(separator: " ") + "\n"
  }

  private static func isString(_ value: TemplateValue) -> Bool { if case .string = value { true } else { false } }

  /// - Parameter limitBytes: where the result is cut off, since a width of a million costs nothing to write.
  static func sprintf(_ format: String, _ arguments: [TemplateValue], limitBytes: Int) -> String {
    var result = ""
    var index = 0
    var isReordered = false
    var rest = Substring(format).unicodeScalars
    while let scalar = rest.popFirst(), result.utf8.count < limitBytes {
      guard scalar == "%" else {
        result.unicodeScalars.append(scalar)
        continue
      }
      var verb = Verb(letter: "%")
      while let flag = rest.first, verb.take(flag: flag) { rest.removeFirst() }
      var isIndexGood = takeIndex(&rest, &index, &isReordered, arguments.count)
      if rest.first == "*" {
        rest.removeFirst()
        if let width = integer(arguments, &index) {
          verb.width = Int(width.magnitude)
          if width < 0 { (verb.isLeft, verb.padsWithZeros) = (true, false) }
        } else {
          result += "%!(BADWIDTH)"
        }
      } else {
        verb.width = number(&rest)
      }
      if rest.first == "." {
        rest.removeFirst()
        isIndexGood = takeIndex(&rest, &index, &isReordered, arguments.count) && isIndexGood
        if rest.first == "*" {
          rest.removeFirst()
          let precision = integer(arguments, &index)
          verb.precision = precision.flatMap { $0 < 0 ? nil : $0 }
          if precision == nil || precision! < 0 { result += "%!(BADPREC)" }
        } else {
          verb.precision = number(&rest) ?? 0
        }
      }
      isIndexGood = takeIndex(&rest, &index, &isReordered, arguments.count) && isIndexGood
      guard let letter = rest.popFirst() else {
        result += "%!(NOVERB)"
        break
      }
      verb.letter = letter
      if letter == "%" {
        result += "%"
      } else if !isIndexGood {
        result += "%!\(letter)(BADINDEX)"
      } else if index >= arguments.count {
        result += "%!\(letter)(MISSING)"
      } else {
        result += verb.format(arguments[index])
        index += 1
      }
    }
    if !isReordered, index < arguments.count {
      let extra = arguments[index...].map { value in
        if case .none = value { "<nil>" } else { "\(value.typeName)=\(plain(value))" }
      }
      result += "%!(EXTRA \(extra.joined(separator: ", ")))"
    }
    return result.utf8.count <= limitBytes ? result : String(decoding: result.utf8.prefix(limitBytes), as: UTF8.self)
  }

  private static func number(_ rest: inout Substring.UnicodeScalarView) -> Int? {
    var value: Int?
    while let digit = rest.first, digit.isASCII, let one = Character(digit).wholeNumberValue {
      value = min((value ?? 0) * 10 + one, numberLimit)
      rest.removeFirst()
    }
    return value
  }

  private static func integer(_ arguments: [TemplateValue], _ index: inout Int) -> Int? {
    guard index < arguments.count else { return nil }
    defer { index += 1 }
    guard case .int(let value) = arguments[index], value.magnitude <= numberLimit else { return nil }
    return value
  }

  /// `[n]` names the next argument. False when it names none.
  private static func takeIndex(
    _ rest: inout Substring.UnicodeScalarView, _ index: inout Int, _ isReordered: inout Bool, _ count: Int
  ) -> Bool {
    guard rest.first == "[" else { return true }
    isReordered = true
    let inner = rest.dropFirst().prefix { $0 != "]" }
    guard let close = rest.firstIndex(of: "]") else {
      rest.removeFirst()
      return false
    }
    rest = rest[rest.index(after: close)...]
    guard let place = Int(String(inner)), place >= 1, place <= count else { return false }
    index = place - 1
    return true
  }

  /// One verb with its flags.
  struct Verb {
    var letter: Unicode.Scalar
    var hasSharp = false
    var hasPlus = false
    var hasSpace = false
    var isLeft = false
    var padsWithZeros = false
    var width: Int?
    var precision: Int?

    init(letter: Unicode.Scalar) { self.letter = letter }

    mutating func take(flag: Unicode.Scalar) -> Bool {
      switch flag {
      case "#": hasSharp = true
      case "+": hasPlus = true
      case " ": hasSpace = true
      case "0": padsWithZeros = !isLeft
      case "-": (isLeft, padsWithZeros) = (true, false)
      default: return false
      }
      return true
    }

    func format(_ value: TemplateValue) -> String {
      if letter == "T" { return padded(value.typeName) }
      return switch value {
      case .none: letter == "v" ? padded("<nil>") : "%!\(letter)(<nil>)"
      case .bool(let flag): letter == "v" || letter == "t" ? padded(String(flag)) : wrong(value)
      case .int(let number): integer(number) ?? wrong(value)
      case .float(let number): float(number) ?? wrong(value)
      case .string(let text): string(text) ?? wrong(value)
      case .time(let time): string(time.description) ?? wrong(value)
      case .duration(let duration): string(duration.description) ?? integer(Int(duration.ns)) ?? wrong(value)
      case .labels(let labels):
        map(labels.mapValues { .string($0) })
      case .map(let entries): map(entries)
      case .sample(let sample): "{\(format(.labels(sample.labels))) \(format(.float(sample.value)))}"
      case .samples(let samples): "[\(samples.map { format(.sample($0)) }.joined(separator: " "))]"
      case .data(let data):
        "{\(format(.labels(data.labels))) \(format(.labels(data.externalLabels))) "
          + "\(format(.string(data.externalURL))) \(format(.float(data.value)))}"
      }
    }

    private func map(_ entries: [String: TemplateValue]) -> String {
      let keys = entries.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      return "map[\(keys.map { "\(format(.string($0))):\(format(entries[$0] ?? .none))" }.joined(separator: " "))]"
    }

    private func wrong(_ value: TemplateValue) -> String {
      "%!\(letter)(\(value.typeName)=\(GoFormat.plain(value)))"
    }

    private func integer(_ number: Int) -> String? {
      let scalar = Unicode.Scalar(UInt32(clamping: number)) ?? "\u{FFFD}"
      switch letter {
      case "v", "d": return signed(number, radix: 10)
      case "b": return signed(number, radix: 2, prefix: hasSharp ? "0b" : "")
      case "o", "O": return signed(number, radix: 8, prefix: letter == "O" ? "0o" : hasSharp ? "0" : "")
      case "x", "X":
        let text = signed(number, radix: 16, prefix: hasSharp ? "0x" : "")
        return letter == "X" ? text.uppercased() : text
      case "c": return padded(String(scalar))
      case "q":
        return padded("'" + GoQuote.escaped(scalar, quote: "'", asciiOnly: hasPlus) + "'")
      case "U":
        return padded(hasSharp ? GoQuote.named(scalar) : "U+" + GoQuote.hex(scalar.value, width: 4, uppercase: true))
      default: return nil
      }
    }

    private func signed(_ number: Int, radix: Int, prefix: String = "") -> String {
      var digits = String(number.magnitude, radix: radix)
      let sign = number < 0 ? "-" : hasPlus ? "+" : hasSpace ? " " : ""
      let wanted = precision ?? (padsWithZeros ? (width ?? 0) - sign.utf8.count - prefix.utf8.count : 0)
      if precision == 0, number == 0 { digits = "" }
      digits = String(repeating: "0", count: max(0, wanted - digits.utf8.count)) + digits
      return padded(sign + prefix + digits, withSpaces: true)
    }

    private func float(_ number: Double) -> String? {
      let style: GoNumber.Style
      var places = precision
      switch letter {
      case "v", "g", "G": style = .general
      case "e", "E": (style, places) = (.exponent, precision ?? 6)
      case "f", "F": (style, places) = (.fixed, precision ?? 6)
      case "x", "X": style = .hexadecimal
      case "b": style = .binary
      default: return nil
      }
      var text = GoNumber.format(number, style, precision: places.map { min($0, 1000) })
      if letter == "G" || letter == "E" { text = text.replacing("e", with: "E") }
      if letter == "X", number.isFinite { text = text.uppercased() }
      if number.isInfinite { return padded(hasSpace && !hasPlus && number > 0 ? " Inf" : text, withSpaces: true) }
      if number.isNaN { return padded((hasPlus ? "+" : hasSpace ? " " : "") + text, withSpaces: true) }
      let sign = text.hasPrefix("-") ? "-" : hasPlus ? "+" : hasSpace ? " " : ""
      if text.hasPrefix("-") { text.removeFirst() }
      if padsWithZeros, let width {
        text = String(repeating: "0", count: max(0, width - sign.utf8.count - text.utf8.count)) + text
      }
      return padded(sign + text, withSpaces: true)
    }

    private func string(_ text: String) -> String? {
      switch letter {
      case "v", "s": return padded(precision.map { cut(text, $0) } ?? text)
      case "x", "X":
        let bytes = text.utf8.prefix(precision ?? .max).map {
          GoQuote.hex(UInt32($0), width: 2, uppercase: letter == "X")
        }
        let prefix = hasSharp ? (letter == "X" ? "0X" : "0x") : ""
        return padded(
          hasSpace ? bytes.map { prefix + $0 }.joined(separator: " ") : (bytes.isEmpty ? "" : prefix) + bytes.joined())
      case "q":
        let kept = precision.map { cut(text, $0) } ?? text
        let isRaw = hasSharp && !kept.unicodeScalars.contains { $0 == "`" || ($0.value < 0x20 && $0 != "\t") }
        return padded(isRaw ? "`\(kept)`" : GoQuote.quoted(kept, asciiOnly: hasPlus))
      default: return nil
      }
    }

    private func cut(_ text: String, _ count: Int) -> String {
      String(String.UnicodeScalarView(text.unicodeScalars.prefix(count)))
    }

    private func padded(_ text: String, withSpaces: Bool = false) -> String {
      let missing = (width ?? 0) - text.unicodeScalars.count
      guard missing > 0 else { return text }
      let filling = String(repeating: padsWithZeros && !withSpaces ? "0" : " ", count: missing)
      return isLeft ? text + filling : filling + text
    }
  }
}
