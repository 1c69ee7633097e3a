import Runtime

/// The name and labels of a durable counter.
///
/// Its text form, which the file keeps, is `name{label="value",…}` with the labels sorted by name; in values `\`, `"` and
/// line feed stand as `\\`, `\"` and `\n`.
public struct CounterKey: Sendable, Hashable, CustomStringConvertible {
  public let name: String
  /// Sorted by name.
  public let labels: [Label]

  public struct Label: Sendable, Hashable {
    public let name: String
    public let value: String
  }

  /// - Precondition: names are made of letters, digits, `_` and `:`; label names are unique.
  public init(_ name: String, _ labels: KeyValuePairs<String, String> = [:]) {
    self.name = name
    self.labels = labels.map { Label(name: $0.key, value: $0.value) }.sorted { $0.name < $1.name }
  }

  /// The value of a label; nil when the key has no such label.
  public subscript(label: String) -> String? { labels.first { $0.name == label }?.value }

  public var description: String {
    guard !labels.isEmpty else { return name }
    return "\(name){\(labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ","))}"
  }

  private static func escaped(_ value: String) -> String {
    var text = ""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\\": text += "\\\\"
      case "\"": text += "\\\""
      case "\n": text += "\\n"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}

extension CounterKey {
  /// Reads the text form; nil for any other text.
  public init?(text: String) {
    var rest = Substring(text).unicodeScalars
    name = Self.word(&rest)
    guard !name.isEmpty else { return nil }
    var labels: [Label] = []
    if rest.popFirst() == "{" {
      repeat {
        let label = Self.word(&rest)
        guard !label.isEmpty, rest.popFirst() == "=", let value = Self.quoted(&rest) else { return nil }
        labels.append(Label(name: label, value: value))
        guard let next = rest.popFirst(), next == "," || (next == "}" && rest.isEmpty) else { return nil }
      } while !rest.isEmpty
    }
    self.labels = labels.sorted { $0.name < $1.name }
    guard description == text else { return nil }
  }

  private static func word(_ rest: inout Substring.UnicodeScalarView) -> String {
    let end = rest.firstIndex { !($0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "_" || $0 == ":") }
    let word = rest[..<(end ?? rest.endIndex)]
    rest = rest[word.endIndex...]
    return String(word)
  }

  private static func quoted(_ rest: inout Substring.UnicodeScalarView) -> String? {
    guard rest.popFirst() == "\"" else { return nil }
    var value = ""
    while let scalar = rest.popFirst() {
      switch scalar {
      case "\"": return value
      case "\\":
        guard let escaped = rest.popFirst() else { return nil }
        value.unicodeScalars.append(escaped == "n" ? "\n" : escaped)
      default: value.unicodeScalars.append(scalar)
      }
    }
    return nil
  }
}

/// A count that restarts and kills of the daemon do not reset.
public struct Counter: Sendable, Equatable {
  public internal(set) var value: Double
  /// When it last changed; nil while it is as it was declared.
  public internal(set) var changed: WallTime?
}

/// Something the daemon must remember about a name, such as the last configuration epoch seen of a master.
public struct Fact: Sendable, Equatable {
  /// At most `StoreLimits.factBytes`.
  public let value: String
  /// When it was set to another value than before.
  public let changed: WallTime
}
