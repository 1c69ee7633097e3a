import Testing

@testable import Config

@Suite struct FlagTests {
  struct Contract: Sendable, CustomTestStringConvertible {
    let name, variable, type, defaultText: String
    var testDescription: String { name }
  }

  /// The flags of redis_exporter: name, environment variable, type and default, one a line.
  static let contract: [Contract] = {
    let text = (try? Fixtures.text("flags.tsv")) ?? ""
    return text.split(separator: "\n").dropFirst().map { line in
      let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      return Contract(name: cells[0], variable: cells[1], type: cells[2], defaultText: cells[3])
    }
  }()

  /// Where our default differs, on purpose.
  static let otherDefaults = ["connection-timeout": "2s"]

  @Test func contractIsWhole() {
    #expect(Self.contract.count == 59)
  }

  @Test(arguments: contract)
  func contractFlagIsThere(row: Contract) throws {
    let flag = try #require(Flags.all.first { $0.name == row.name })
    #expect(flag.variable ?? "" == row.variable)
    #expect(flag.defaultText == Self.otherDefaults[row.name] ?? row.defaultText)
    let type =
      switch flag.kind {
      case .bool: "bool"
      case .int: "int64"
      default: "string"
      }
    #expect(type == row.type)
  }

  @Test func namesAndVariablesAreUnique() {
    #expect(Set(Flags.all.map(\.name)).count == Flags.all.count)
    let variables = Flags.all.compactMap(\.variable)
    #expect(Set(variables).count == variables.count)
  }

  @Test(arguments: Flags.all.map(\.name))
  func meaningIsOneSentence(name: String) throws {
    let flag = try #require(Flags.all.first { $0.name == name })
    #expect(flag.meaning.hasSuffix("."))
    #expect(flag.meaning.first?.isUppercase == true)
    #expect(!flag.meaning.contains("\n"))
  }

  @Test func everyFlagIsRead() throws {
    let reader = FlagReader(arguments: [], environment: [:])
    _ = reader.bool("version")
    _ = Options(reader)
    try reader.finish()
    #expect(reader.askedNames == Set(Flags.all.map(\.name)))
  }

  /// Flags of a type that `junk` is no value of.
  static let typedNames = Flags.all.filter { flag in
    switch flag.kind {
    case .string, .secret: false
    default: flag.name != "version"
    }
  }.map(\.name)

  @Test(arguments: typedNames)
  func wrongValueIsReportedWhereItWasGiven(name: String) throws {
    let flag = try #require(Flags.all.first { $0.name == name })
    let variable = try #require(flag.variable)
    let ofFlag = try #require(throws: ConfigErrors.self) {
      try Invocation.parse(["-\(name)=junk"], environment: [variable: flag.defaultText])
    }
    #expect(ofFlag.errors.map(\.origin) == [.flag(name)] && ofFlag.errors.map(\.value) == ["junk"])
    let ofVariable = try #require(throws: ConfigErrors.self) {
      try Invocation.parse([], environment: [variable: "junk"])
    }
    #expect(ofVariable.errors.map(\.origin) == [.environment(variable)])
    #expect(throws: Never.self) {
      try Invocation.parse(["-\(name)=\(flag.defaultText)"], environment: [variable: "junk"])
    }
  }

  @Test func usageShowsFlagsAndNoEnvironment() {
    let usage = Flags.usage()
    for flag in Flags.all { #expect(usage.contains("  -\(flag.name)")) }
    for group in Flag.Group.allCases { #expect(usage.contains("\n\(group.rawValue)\n")) }
    #expect(usage.contains("  -debug\n"))
    #expect(usage.contains("  -log-format txt or json\n"))
    #expect(usage.contains("(default redis://localhost:6379, environment REDIS_ADDR)"))
  }

  @Test func markdownHasALineForEachFlag() {
    let lines = Flags.markdownTable().split(separator: "\n")
    #expect(lines.count == Flags.all.count + 2)
    #expect(lines[0] == "| flag | environment | type | default | meaning |")
    #expect(
      lines.contains {
        $0.hasPrefix("| `-web.max-age` | `REDLINE_WEB_MAX_AGE` | duration | `1s` | Age up to which")
      })
    #expect(lines.allSatisfy { $0.replacing("\\|", with: "").count { $0 == "|" } == 6 })
  }
}
