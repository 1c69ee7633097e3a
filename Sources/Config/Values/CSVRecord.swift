/// One record of comma-separated values by the rules of Go's `encoding/csv`: a field in double quotes may hold commas,
/// line breaks and, written twice, double quotes; anywhere else a double quote is an error.
enum CSVRecord {
  /// The fields; none for an empty text. A line break may end the record, a second record is an error.
  static func parse(_ text: String) throws(Mismatch) -> [String] {
    var rest = Array(text.replacing("\r\n", with: "\n").unicodeScalars)[...]
    while rest.first == "\n" { rest.removeFirst() }
    guard !rest.isEmpty else { return [] }
    var fields: [String] = []
    while true {
      let field = rest.first == "\"" ? try quotedField(&rest) : try plainField(&rest)
      fields.append(field)
      guard rest.popFirst() == "," else { break }
    }
    while rest.first == "\n" { rest.removeFirst() }
    guard rest.isEmpty else { throw Mismatch("has more than one line", hint: "separate the elements by commas") }
    return fields
  }

  private static func plainField(_ rest: inout ArraySlice<Unicode.Scalar>) throws(Mismatch) -> String {
    var field = ""
    while let scalar = rest.first, scalar != ",", scalar != "\n" {
      guard scalar != "\"" else {
        throw Mismatch(
          "has a double quote inside an element", hint: "put the element in double quotes and double those within",
          part: field + "\"")
      }
      field.unicodeScalars.append(scalar)
      rest.removeFirst()
    }
    return field
  }

  private static func quotedField(_ rest: inout ArraySlice<Unicode.Scalar>) throws(Mismatch) -> String {
    rest.removeFirst()
    var field = ""
    while let scalar = rest.popFirst() {
      guard scalar == "\"" else {
        field.unicodeScalars.append(scalar)
        continue
      }
      switch rest.first {
      case "\"":
        field += "\""
        rest.removeFirst()
      case nil, ",", "\n":
        return field
      default:
        throw Mismatch("has text after its closing double quote", part: "\"\(field)\"")
      }
    }
    throw Mismatch("has no closing double quote", part: "\"\(field)")
  }
}
