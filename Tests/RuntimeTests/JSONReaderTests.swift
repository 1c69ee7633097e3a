import Testing

@testable import Runtime

/// The corner cases of RFC 8259, and what is refused beyond it.
@Suite struct JSONReaderTests {
  private func read(_ text: String, limits: JSONReader.Limits = .init()) throws -> JSONValue {
    try JSONReader.value(Array(text.utf8), limits: limits)
  }

  @Test(
    arguments: [
      ("null", .null), (" true\n", .boolean(true)), ("\tfalse\r", .boolean(false)), ("0", .number(0)),
      ("-0", .number(-0.0)), ("-1.5e+2", .number(-150)), ("1E-2", .number(0.01)),
      ("9007199254740993", .number(9_007_199_254_740_992)),
      ("5e-324", .number(.leastNonzeroMagnitude)), ("1e-999", .number(0)),
      ("1.7976931348623157e308", .number(.greatestFiniteMagnitude)),
      (#""""#, .string("")), (#""a\"\\\/\b\f\n\r\t""#, .string("a\"\\/\u{8}\u{C}\n\r\t")),
      (#""\u0000\u00e9\u20AC""#, .string("\0é€")),
      (#""\ud83d\ude00 😀""#, .string("😀 😀")), (#""\uDBFF\uDFFF""#, .string("\u{10FFFF}")),
      ("\"\u{7F}\u{2028}\"", .string("\u{7F}\u{2028}")),
      ("[]", .array([])), ("[ ]", .array([])), ("{}", .object([])),
      ("[1,[2],{}]", .array([.number(1), .array([.number(2)]), .object([])])),
      (
        #"{"b":1,"a":{"b":null}}"#,
        .object([
          .init(name: "b", value: .number(1)), .init(name: "a", value: .object([.init(name: "b", value: .null)])),
        ])
      ),
      (#"{"":0}"#, .object([.init(name: "", value: .number(0))])),
    ] as [(String, JSONValue)])
  func good(text: String, value: JSONValue) throws {
    #expect(try read(text) == value)
  }

  @Test(arguments: [
    ("", "1:1: a value is expected here"), (" ", "1:2: a value is expected here"),
    ("nul", "1:1: a value is expected here"), ("True", "1:1: a value is expected here"),
    ("nullx", "1:5: nothing may follow the value"), ("1 2", "1:3: nothing may follow the value"),
    ("NaN", "1:1: a value is expected here"), ("-Infinity", "1:2: a digit is expected here"),
    ("+1", "1:1: a value is expected here"), (".5", "1:1: a value is expected here"),
    ("01", "1:2: no digit may follow a 0 at the beginning of a number"), ("1.", "1:3: a digit is expected here"),
    ("1.e1", "1:3: a digit is expected here"), ("1e", "1:3: a digit is expected here"),
    ("1e+-1", "1:4: a digit is expected here"), ("0x1", "1:2: nothing may follow the value"),
    ("1e999", "1:1: the number is too large"), ("[-1e999]", "1:2: the number is too large"),
    ("[1,]", "1:4: a value is expected here"), ("[1 2]", "1:4: a comma or ] is expected here"),
    ("[", "1:2: a value is expected here"), ("]", "1:1: a value is expected here"),
    ("{", "1:2: a name in double quotes is expected here"), ("{\"a\"}", "1:5: a colon is expected here"),
    ("{a:1}", "1:2: a name in double quotes is expected here"), ("{\"a\":}", "1:6: a value is expected here"),
    ("{\"a\":1,}", "1:8: a name in double quotes is expected here"),
    ("{\"a\":1]", "1:7: a comma or } is expected here"),
    ("{\"a\":1,\n \"\\u0061\":2}", "2:2: the same name was given before"),
    ("[{\"a\":[{\"b\":1,\"b\":1}]}]", "1:15: the same name was given before"),
    ("'a'", "1:1: a value is expected here"), ("\"a", "1:1: the text that starts here has no closing quote"),
    ("\"a\n\"", "1:3: a control character must be written as an escape"),
    ("\"\0\"", "1:2: a control character must be written as an escape"),
    ("\"\\a\"", "1:2: this escape is not known to JSON"),
    ("\"\\u12\"", "1:2: four hexadecimal digits are expected after \\u"),
    ("\"é\\ud800\"", "1:3: half of a surrogate pair is missing"),
    ("\"\\ude00\"", "1:2: half of a surrogate pair is missing"),
    ("\"\\ud83d\\ud83d\"", "1:2: half of a surrogate pair is missing"),
    ("\"\\ud83d\\n\"", "1:2: half of a surrogate pair is missing"),
    ("\"\\", "1:2: the file ends within an escape"), ("\u{FEFF}1", "1:1: a value is expected here"),
    ("// a\n1", "1:1: a value is expected here"), ("1\u{A0}", "1:2: nothing may follow the value"),
  ])
  func bad(text: String, message: String) throws {
    let error = try #require(throws: JSONError.self) { try read(text) }
    #expect(error.description == message)
  }

  @Test func placesAreOfBytesAndCharacters() throws {
    let error = try #require(throws: JSONError.self) { try read("[\n\"é\", x]") }
    #expect((error.offset, error.line, error.column) == (8, 2, 6))
  }

  @Test(arguments: [[0xFF], [0xC3], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80]] as [[UInt8]])
  func brokenUTF8(bytes: [UInt8]) throws {
    let quote = UInt8(ascii: "\"")
    let error = try #require(throws: JSONError.self) { try JSONReader.value([quote] + bytes + [quote]) }
    #expect(error.description == "1:2: the text is not UTF-8")
  }

  @Test func depthAndLengthAreBounded() throws {
    func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
    #expect(try read(nested(64)).elements.count == 1)
    let deep = try #require(throws: JSONError.self) { try read(nested(65)) }
    #expect(deep.description == "1:65: values lie more than 64 deep in one another")
    // An attacker's million must not take the stack, either.
    _ = try #require(throws: JSONError.self) { try read(String(repeating: "{\"a\":", count: 1_000_000)) }
    let long = try #require(throws: JSONError.self) { try read("[1,2]", limits: .init(bytes: 4)) }
    #expect(long.description == "1:5: the text is longer than 4 bytes")
  }

  @Test func textsAlone() throws {
    #expect(try JSONReader.texts(Array(#" {"a": "1", "b": ""} "#.utf8)) == ["a": "1", "b": ""])
    #expect(try JSONReader.texts(Array("{}".utf8)) == [:])
    for bad in ["[]", "null", "{\"a\":1}", "{\"a\":{}}", "{\"a\":\"1\",\"a\":\"1\"}", "{} {}"] {
      #expect(throws: JSONError.self) { try JSONReader.texts(Array(bad.utf8)) }
    }
  }

  @Test func membersByName() throws {
    let value = try read(#"{"a":{"b":[1,"x"]}}"#)
    #expect(value["a"]?["b"]?.elements.map(\.number) == [1, nil] && value["a"]?["b"]?.elements[1].string == "x")
    #expect(value["x"] == nil && value["a"]?["b"]?["c"] == nil && value.elements.isEmpty && value.string == nil)
  }
}
