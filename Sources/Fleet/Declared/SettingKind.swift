import Config
import Runtime

/// How the value of a setting is written, so that two ways of writing the same are the same (config.c).
enum SettingKind: Sendable, Equatable {
  case yesNo
  /// Redis brings what lies beyond the range to its end.
  case integer(within: ClosedRange<Int>? = nil)
  case octal
  /// Bytes, with a unit where that is wanted: `1k` is 1000, `1kb` is 1024.
  case memory
  case memoryOrPercent
  /// To the letter.
  case text
  /// Capitals do not count; some words have a second name.
  case word(same: [String: String] = [:])
  /// In this order.
  case words
  /// In any order.
  case wordSet
  /// Classes of notify-keyspace-events.
  case events
  case percentiles
  case integers(count: Int)
  /// Pairs of seconds and changes.
  case save
  /// Four words for each class of clients.
  case bufferLimits
  /// Of a setting that is not known here: to the letter, or as a number of bytes.
  case any

  /// Whether its value may be several words.
  private var isList: Bool {
    switch self {
    case .words, .wordSet, .percentiles, .integers, .save, .bufferLimits, .any: true
    default: false
    }
  }

  /// The words of a value: a list may stand in one pair of quotes.
  func words(_ arguments: [[UInt8]]) throws(Mismatch) -> [String] {
    var arguments = arguments
    if isList, self != .any, arguments.count == 1, !arguments[0].isEmpty {
      guard let words = ConfWords.split(arguments[0][...]) else { throw Mismatch("has quotes that do not match") }
      arguments = words
    }
    if self == .any, arguments.isEmpty { throw Mismatch("has no value") }
    if !isList, arguments.count != 1 {
      let isRemark = arguments.dropFirst().contains { $0.first == UInt8(ascii: "#") }
      throw Mismatch(
        arguments.isEmpty ? "has no value" : "has more than one value",
        hint: isRemark ? "a comment stands on a line of its own" : "give one, in quotes where it has blanks")
    }
    // Redis keeps texts up to their first zero byte.
    return arguments.map {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self).cut(toBytes: AuditReading.valueBytes)
    }
  }

  /// The one form of all values that mean the same.
  ///
  /// - Parameter words: as ``words(_:)`` gives them.
  /// - Throws: why Redis would not take the value.
  func canonical(_ words: [String]) throws(Mismatch) -> String {
    let word = words.first ?? ""
    switch self {
    case .yesNo:
      guard ["yes", "no"].contains(word.lowercased()) else { throw Mismatch("is neither yes nor no") }
      return word.lowercased()
    case .integer(let range):
      let value = try Self.integer(word)
      return String(range.map { min(max(value, $0.lowerBound), $0.upperBound) } ?? value)
    case .octal:
      guard let value = Int(word, radix: 8), value >= 0 else { throw Mismatch("is no octal number") }
      return String(value, radix: 8)
    case .memory: return try Self.bytes(word)
    case .memoryOrPercent:
      guard word.hasSuffix("%") else { return try Self.bytes(word) }
      let share = try Self.integer(String(word.dropLast()))
      guard share >= 0 else { throw Mismatch("is less than nothing") }
      return share == 0 ? "0" : "\(share)%"
    case .text: return word
    case .word(let same): return same[word.lowercased()] ?? word.lowercased()
    case .words: return words == [""] ? "" : words.joined(separator: " ")
    case .wordSet: return words.map { $0.lowercased() }.filter { !$0.isEmpty }.sorted().joined(separator: " ")
    case .events: return try Self.events(word)
    case .percentiles: return try Self.percentiles(words == [""] ? [] : words)
    case .integers(let count):
      guard words.count == count else { throw Mismatch("has not \(count) numbers but \(words.count)") }
      return try Self.join(words) { word throws(Mismatch) in String(try Self.integer(word)) }
    case .save: return try Self.saveRules(words == [""] ? [] : words)
    case .bufferLimits:
      return try Self.bufferLimits(words).sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        .joined(separator: " ")
    case .any: return words.joined(separator: " ")
    }
  }

  /// Whether a server's answer to CONFIG GET means what a file says.
  ///
  /// - Parameter declared: as ``canonical(_:)`` gives it.
  func isSame(_ declared: String, answer: String) -> Bool {
    if declared == answer { return true }
    guard self == .any else {
      guard let words = try? words([Array(answer.utf8)]), let running = try? canonical(words) else { return false }
      return declared == running
    }
    if ["yes", "no"].contains(declared.lowercased()) { return declared.lowercased() == answer.lowercased() }
    guard let bytes = try? Self.bytes(declared), !declared.isEmpty else { return false }
    return bytes == answer
  }

  // MARK: Parts

  private static func join(
    _ words: [String], _ body: (String) throws(Mismatch) -> String
  ) throws(Mismatch) -> String {
    var all: [String] = []
    for word in words { all.append(try body(word)) }
    return all.joined(separator: " ")
  }

  /// As `string2ll` reads it: no blanks, no plus sign and no zeros in front.
  private static func integer(_ text: String) throws(Mismatch) -> Int {
    guard let value = Int(text), String(value) == text else {
      throw Mismatch("is no whole number", hint: "write digits alone, with no zeros in front")
    }
    return value
  }

  /// As `memtoull` reads it, in which no digits at all are 0.
  private static func bytes(_ text: String) throws(Mismatch) -> String {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let units: [String: UInt64] = [
      "": 1, "b": 1, "k": 1000, "kb": 1 << 10, "m": 1_000_000, "mb": 1 << 20, "g": 1_000_000_000, "gb": 1 << 30,
    ]
    guard let unit = units[text.dropFirst(digits.count).lowercased()] else {
      throw Mismatch("is no number of bytes", hint: "write it like 512mb, 1gb or 1048576")
    }
    guard let number = digits.isEmpty ? 0 : UInt64(digits) else { throw Mismatch("is too large") }
    let (bytes, isTooLarge) = number.multipliedReportingOverflow(by: unit)
    guard !isTooLarge else { throw Mismatch("is too large") }
    return String(bytes)
  }

  /// What `A` stands for.
  private static let allEvents: Set<Character> = ["g", "$", "l", "s", "h", "z", "x", "e", "t", "d"]

  /// The letters in order. With all of `A` a server does not tell `n`.
  private static func events(_ text: String) throws(Mismatch) -> String {
    guard text.allSatisfy({ $0.isASCII && $0.isLetter || $0 == "$" }) else {
      throw Mismatch("has letters that are no class of events", hint: "write letters such as Ex, or \"\" for none")
    }
    var letters = Set(text)
    if letters.remove("A") != nil { letters.formUnion(allEvents) }
    if letters.isSuperset(of: allEvents) { letters.remove("n") }
    return String(letters.sorted())
  }

  /// In millionths, to which a server tells them.
  private static func percentiles(_ words: [String]) throws(Mismatch) -> String {
    try join(words) { word throws(Mismatch) in
      guard let value = Double(word), value >= 0, value <= 100 else {
        throw Mismatch("is no percentile", hint: "write numbers from 0 to 100, such as 50 99 99.9")
      }
      return String(Int(clamping: (value * 1e6).rounded()))
    }
  }

  private static func saveRules(_ words: [String]) throws(Mismatch) -> String {
    guard words.count.isMultiple(of: 2) else {
      throw Mismatch("has an odd number of values", hint: "write seconds and changes, such as 3600 1")
    }
    var rules: [String] = []
    for place in stride(from: 0, to: words.count, by: 2) {
      guard let seconds = Int(words[place]), seconds >= 1, let changes = Int(words[place + 1]), changes >= 0 else {
        throw Mismatch("is no rule for saving", hint: "write seconds and changes, such as 3600 1")
      }
      rules.append("\(seconds) \(changes)")
    }
    // Whichever rule is met first saves: their order says nothing.
    return Set(rules).sorted().joined(separator: ", ")
  }

  /// Hard limit, soft limit and seconds by the class of clients.
  static func bufferLimits(_ words: [String]) throws(Mismatch) -> [String: String] {
    let hint = "write class, hard limit, soft limit and seconds, such as replica 256mb 64mb 60"
    guard !words.isEmpty, words.count.isMultiple(of: 4) else {
      throw Mismatch("has not four values for each class", hint: hint)
    }
    var limits: [String: String] = [:]
    for place in stride(from: 0, to: words.count, by: 4) {
      let written = words[place].lowercased()
      let kind = written == "slave" ? "replica" : written
      guard ["normal", "replica", "pubsub"].contains(kind) else {
        throw Mismatch("names a class of clients that there is none of", hint: "use normal, replica or pubsub")
      }
      guard let seconds = Int(words[place + 3]), seconds >= 0 else {
        throw Mismatch("has a time that is no number of seconds", hint: hint)
      }
      limits[kind] = "\(try bytes(words[place + 1])) \(try bytes(words[place + 2])) \(seconds)"
    }
    return limits
  }
}
