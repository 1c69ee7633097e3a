/// A set of label names, sorted by their bytes: what `by`, `without`, `on` and `ignoring` list.
public struct LabelNames: Sendable, Hashable {
  let sorted: [[UInt8]]

  public init(_ names: some Sequence<String>) {
    sorted = Set(names.map { Array($0.utf8) }).sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// The metric's name alone.
  static let metricName = LabelNames([Labels.metricName])

  func union(_ other: LabelNames) -> LabelNames {
    LabelNames((sorted + other.sorted).map { String(decoding: $0, as: UTF8.self) })
  }
}

extension Labels {
  /// These labels alone.
  func keeping(_ names: LabelNames) -> Labels { filtered(names, keepsListed: true) }

  /// All but these labels.
  func dropping(_ names: LabelNames) -> Labels { filtered(names, keepsListed: false) }

  /// Both lists are sorted, so one walk over each is enough.
  private func filtered(_ names: LabelNames, keepsListed: Bool) -> Labels {
    var kept: [UInt8] = []
    var cursor = PackedLabels.Cursor()
    var index = 0
    // Neighbours that are kept are copied at once.
    var runStart = 0
    while let pair = cursor.next(in: packed) {
      var order = 1
      while index < names.sorted.count {
        let name = names.sorted[index]
        order = PackedLabels.compare(name, name.indices, packed, pair.name)
        if order >= 0 { break }
        index += 1
      }
      let isListed = index < names.sorted.count && order == 0
      if isListed != keepsListed {
        if kept.isEmpty { kept.reserveCapacity(packed.count) }
        if runStart < pair.whole.lowerBound { kept += packed[runStart..<pair.whole.lowerBound] }
        runStart = pair.whole.upperBound
      }
    }
    if runStart == 0 { return self }
    if runStart < packed.count { kept += packed[runStart...] }
    return Labels(packed: kept)
  }

  /// Without the metric's name.
  public var withoutMetricName: Labels { dropping(.metricName) }

  /// With the label set to `value`, or removed when that is empty.
  public func setting(_ name: String, to value: String) -> Labels {
    setting(Array(name.utf8), to: Array(value.utf8)[...])
  }

  func setting(_ name: [UInt8], to value: ArraySlice<UInt8>) -> Labels {
    var changed = PackedLabels()
    var cursor = PackedLabels.Cursor()
    var isSet = false
    while let pair = cursor.next(in: packed) {
      let order = isSet ? 1 : PackedLabels.compare(packed, pair.name, name, name.indices)
      if order >= 0 && !isSet {
        changed.append(name[...], value)
        isSet = true
        if order == 0 { continue }
      }
      changed.append(pair, of: packed)
    }
    if !isSet { changed.append(name[...], value) }
    return Labels(packed: changed.bytes)
  }
}

extension Labels: Comparable, CustomStringConvertible {
  /// By the first label that differs, name before value; of two that agree so far the shorter comes first.
  public static func < (a: Labels, b: Labels) -> Bool {
    var (cursorA, cursorB) = (PackedLabels.Cursor(), PackedLabels.Cursor())
    while true {
      guard let pairB = cursorB.next(in: b.packed) else { return false }
      guard let pairA = cursorA.next(in: a.packed) else { return true }
      let names = PackedLabels.compare(a.packed, pairA.name, b.packed, pairB.name)
      if names != 0 { return names < 0 }
      let values = PackedLabels.compare(a.packed, pairA.value, b.packed, pairB.value)
      if values != 0 { return values < 0 }
    }
  }

  /// All labels alike, as Prometheus' errors show them: `{__name__="up", job="redis"}`.
  var bracedDescription: String {
    "{" + pairs.map { "\(LabelNameSyntax.printed($0.name))=\(quoted($0.value))" }.joined(separator: ", ") + "}"
  }

  /// As a selector would be written: `up{job="redis"}`, or `{}` without labels.
  public var description: String {
    let metric = self[Self.metricName]
    let hasPlainName = metric.map(LabelNameSyntax.isPlainMetricName) ?? false
    let listed = pairs.filter { !(hasPlainName && $0.name == Self.metricName) }
      .map { "\(LabelNameSyntax.printed($0.name))=\(quoted($0.value))" }
    let name = hasPlainName ? metric! : ""
    return listed.isEmpty && hasPlainName ? name : "\(name){\(listed.joined(separator: ", "))}"
  }
}

/// The names that labels and metrics may have, and how they are printed.
enum LabelNameSyntax {
  /// `[a-zA-Z_][a-zA-Z0-9_]*`
  static func isPlainLabelName(_ name: String) -> Bool {
    matches(name) { isWordByte($0) }
  }

  /// `[a-zA-Z_:][a-zA-Z0-9_:]*`
  static func isPlainMetricName(_ name: String) -> Bool {
    matches(name) { isWordByte($0) || $0 == UInt8(ascii: ":") }
  }

  /// The name as it stands in a query: quoted unless it is a plain label name.
  static func printed(_ name: String) -> String { isPlainLabelName(name) ? name : quoted(name) }

  private static func matches(_ name: String, _ isAllowed: (UInt8) -> Bool) -> Bool {
    guard let first = name.utf8.first, !isDigit(first) else { return false }
    return name.utf8.allSatisfy(isAllowed)
  }
}

@inline(__always) func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

@inline(__always) func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }

/// Letters, digits and the underscore.
@inline(__always) func isWordByte(_ byte: UInt8) -> Bool {
  isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "_")
}

/// Text in double quotes with what a query or a terminal would take amiss escaped.
public func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\t": result += "\\t"
    case "\r": result += "\\r"
    case _ where scalar.value < 0x20 || scalar.value == 0x7F:
      let digits = String(scalar.value, radix: 16)
      result += "\\x" + (digits.count < 2 ? "0" : "") + digits
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
