/// Writes JSON as Go's `encoding/json` does: no spaces, sorted keys, and `<`, `>`, `&`, U+2028 and U+2029 escaped.
struct GoJSON {
  private(set) var bytes: [UInt8] = []

  mutating func list<Element>(_ elements: [Element], _ body: (inout GoJSON, Element) -> Void) {
    add("[")
    for (index, element) in elements.enumerated() {
      if index > 0 { add(",") }
      body(&self, element)
    }
    add("]")
  }

  mutating func object(_ body: (inout GoJSON) -> Void) {
    add("{")
    body(&self)
    add("}")
  }

  /// A field of the object that is being written.
  mutating func field(_ name: String, _ value: String) {
    key(name)
    string(value)
  }

  mutating func field(_ name: String, _ values: [String: String]) {
    key(name)
    object { json in
      for (name, value) in values.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
        json.field(name, value)
      }
    }
  }

  private mutating func key(_ name: String) {
    if bytes.last != UInt8(ascii: "{") { add(",") }
    string(name)
    add(":")
  }

  private mutating func add(_ text: String) { bytes += text.utf8 }

  private mutating func string(_ text: String) {
    add("\"")
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": add("\\\"")
      case "\\": add("\\\\")
      case "\n": add("\\n")
      case "\r": add("\\r")
      case "\t": add("\\t")
      case "<", ">", "&", "\u{2028}", "\u{2029}": escape(scalar)
      case _ where scalar.value < 0x20: escape(scalar)
      default: bytes += String(scalar).utf8
      }
    }
    add("\"")
  }

  private mutating func escape(_ scalar: Unicode.Scalar) {
    let digits = String(scalar.value, radix: 16)
    add("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
  }
}
