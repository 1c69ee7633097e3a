import Testing

@testable import Fleet

struct PrefixTemplateTests {
  /// The templates of names, each of which stands for as many as are told.
  private static func templates(
    _ names: [(name: String, copies: Int)], separators: String = ":", depth: Int = 2
  ) -> [String: Int] {
    var table = PrefixTable(PrefixTemplate(separators: separators, depth: depth))
    var paths: [Int32] = []
    for (name, copies) in names {
      for copy in 0..<copies {
        paths.append(table.add(Array(name.replacing("#", with: "\(copy)").utf8), isNew: true))
      }
    }
    let texts = table.templates()
    return paths.reduce(into: [:]) { $0[texts[Int($1)], default: 0] += 1 }
  }

  @Test func partsOfOneOfManyBecomeStars() {
    #expect(Self.templates([("user:#:cart", 30)]) == ["user:*": 30])
    #expect(Self.templates([("cart:item:#", 30)]) == ["cart:item:*": 30])
    #expect(Self.templates([("session:#", 30), ("page:#", 25)]) == ["session:*": 30, "page:*": 25])
    #expect(Self.templates([("#:inbox", 40)]) == ["*:inbox": 40])
    #expect(Self.templates([("a:b:c:#", 30)], depth: 4) == ["a:b:c:*": 30])
    #expect(Self.templates([("a:b:c:#", 30)], depth: 1) == ["a:*": 30])
    #expect(Self.templates([("app/user.#", 30)], separators: "/.", depth: 2) == ["app/user.*": 30])
    #expect(Self.templates([("{user:#}:cart", 30), ("user:{#}:list", 5)]) == ["user:*": 35], "braces are dropped")
  }

  @Test(arguments: [
    "4711", "v12", "550e8400-e29b-41d4-a716-446655440000", "deadbeef", "a@b.example", "héllo", "tab\there",
    "abcdefghijklmnopqrstuvwxyzabcdefg",
  ])
  func variableParts(_ part: String) {
    #expect(PrefixTemplate.isVariable(Array(part.utf8)[...]))
  }

  @Test(arguments: ["user", "", "facade", "order-items", "db1x", "abcdefghijklmnopqrstuvwxyzabcdef"])
  func partsThatNameAKind(_ part: String) {
    #expect(!PrefixTemplate.isVariable(Array(part.utf8)[...]))
  }

  /// What fewer than twenty names share could be the name of somebody.
  @Test func fewerThanTwentyAreNobody() {
    #expect(Self.templates([("alice:mail:#", 19), ("shop:mail:#", 20)]) == ["*": 19, "shop:mail:*": 20])
    #expect(Self.templates([("user:alice:#", 10), ("user:bob:#", 19)]) == ["user:*": 29])
    // Nineteen each, but the second part is that of many.
    #expect(Self.templates([("alice:mail:#", 15), ("carol:mail:#", 15)]) == ["*:mail:*": 30])
    #expect(Self.templates([("counter", 1), ("other", 1)]) == ["*": 2])
  }

  @Test func theSameNameAgainIsNotMorePrivate() {
    var table = PrefixTable(PrefixTemplate())
    var paths: [Int32] = []
    for copy in 0..<1000 { paths.append(table.add(Array("alice:mail".utf8), isNew: copy == 0)) }
    #expect(Set(table.templates()) == ["*"])
    var sample = SampledKeys(PrefixTemplate())
    sample.strata = [SampledKeys.Stratum(id: "a", keyTotal: 100), SampledKeys.Stratum(id: "b", keyTotal: 100)]
    for stratum in [0, 1] {
      let window = sample.open(in: stratum)
      for _ in 0..<15 { sample.add(Array("alice:mail".utf8), bytes: 1, life: .forever, in: window) }
    }
    #expect(Set(sample.table.templates()) == ["*"])
  }

  @Test func namesOfAnyLengthAndShape() {
    #expect(Self.templates([("", 1), (":", 1), ("::", 1), (String(repeating: "a:", count: 5000), 1)]) == ["*": 4])
    let long = String(repeating: "x", count: 2000)
    #expect(Self.templates([("queue:" + long + ":#", 30)]) == ["queue:*": 30])
    #expect(Self.templates([("{}:#", 30), ("a{:#", 30)]) == ["{}:*": 30, "a{:*": 30], "no hash tags")
  }
}
