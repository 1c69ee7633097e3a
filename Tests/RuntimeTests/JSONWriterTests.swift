import Testing

@testable import Runtime

/// What is written, and that it is read back.
@Suite struct JSONWriterTests {
  @Test func commasStandBetween() throws {
    var json = JSONWriter()
    json.object { json in
      json.key("a")
      json.array { json in
        json.integer(1)
        json.string("[:{")
        json.object { _ in }
        json.array { _ in }
        json.boolean(true)
        json.number(-0.25)
        json.null()
      }
      json.key("b")
      json.texts(["y": "2", "x": "1"])
      json.field("c", "d")
      json.field("e", UInt64.max)
      json.key("f")
      json.strings(["", ":"])
    }
    #expect(
      json.text
        == #"{"a":[1,"[:{",{},[],true,-0.25,null],"b":{"x":"1","y":"2"},"c":"d","e":18446744073709551615,"f":["",":"]}"#
    )
    #expect(try JSONReader.value(json.bytes)["f"]?.elements[1].string == ":")
  }

  @Test(
    arguments: [
      (0, "0"), (-0.0, "-0.0"), (1, "1"), (-1500, "-1500"), (0.1, "0.1"), (1e15, "1000000000000000"), (1e300, "1e+300"),
      (.leastNonzeroMagnitude, "5e-324"), (.nan, "null"), (.infinity, "null"), (-.infinity, "null"),
    ] as [(Double, String)])
  func numbers(value: Double, text: String) throws {
    #expect(JSONWriter.text { $0.number(value) } == text)
    guard value.isFinite else { return }
    let read = try #require(JSONReader.value(Array(text.utf8)).number)
    #expect(read.bitPattern == value.bitPattern)
  }

  @Test(
    arguments: [
      (.necessary, #""<é>&\"\\\u000a\u0001\u001f"# + "\u{7F}\u{2028}\u{202E}\""),
      (.go, #""\u003cé\u003e\u0026\"\\\n\u0001\u001f"# + "\u{7F}" + #"\u2028"# + "\u{202E}\""),
      (.invisible, #""<é>&\"\\\n\u0001\u001f\u007f\u2028\u202e""#),
    ] as [(JSONWriter.Escaping, String)])
  func escapes(escaping: JSONWriter.Escaping, text: String) throws {
    let value = "<é>&\"\\\n\u{1}\u{1F}\u{7F}\u{2028}\u{202E}"
    #expect(JSONWriter.text(escaping: escaping) { $0.string(value) } == text)
    #expect(try JSONReader.value(Array(text.utf8)).string == value)
  }

  @Test func pairsBeyondTheFirstPlane() throws {
    let tag = "\u{E0001}😀"
    let text = JSONWriter.text(escaping: .invisible) { $0.string(tag) }
    #expect(text == #""\udb40\udc01😀""#)
    #expect(try JSONReader.value(Array(text.utf8)).string == tag)
  }

  @Test func layouts() {
    func write(_ json: inout JSONWriter) {
      json.array { json in
        json.object { json in
          json.key("targets")
          json.strings(["a", "b"])
          json.key("labels")
          json.object { _ in }
        }
        json.integer(1)
      }
    }
    var indented = JSONWriter(layout: .indented)
    write(&indented)
    #expect(
      indented.text == """
        [
          {
            "targets": [
              "a",
              "b"
            ],
            "labels": {}
          },
          1
        ]
        """)
    var lines = JSONWriter()
    lines.object { json in
      json.key("results")
      json.lines { json in for number in 1...2 { json.object { $0.field("n", number) } } }
      json.key("none")
      json.lines { _ in }
      json.key("compact")
      json.array { json in for number in 1...2 { json.integer(number) } }
    }
    lines.verbatim("\n")
    #expect(lines.text == "{\"results\":[\n{\"n\":1},\n{\"n\":2}\n],\"none\":[],\"compact\":[1,2]}\n")
  }
}
