import Redis
import Testing

@testable import Fleet

@Suite struct AccessRulesTests {
  private func needs(_ keys: [String], channels: [String] = []) -> [AccessNeed] {
    [
      AccessNeed("info", [["INFO", "ALL"]], lost: []),
      AccessNeed("config", [["CONFIG", "GET", "*"], ["INFO", "ALL"]], lost: []),
      AccessNeed("keys", keys: keys.map { Array($0.utf8) }, lost: []) { [KeyCommand.type($0)] },
      AccessNeed("events", [["PING"]], channels: channels, lost: []),
    ]
  }

  private func text(_ needs: [AccessNeed], _ version: Version, configCommand: String? = "CONFIG") -> String {
    AccessRules(needs, version: version, configCommand: configCommand).text
  }

  @Test func eachVersionHasItsOwnLanguage() {
    let needs = needs(["lock:*", "app"], channels: ["*"])
    let commands = "+config|get +info +ping +type"
    #expect(text(needs, Version(7)) == "resetkeys resetchannels -@all %R~app %R~lock:* &* \(commands)")
    #expect(text(needs, Version(6, 2)) == "resetkeys resetchannels -@all ~app ~lock:* &* \(commands)")
    #expect(text(needs, Version(6)) == "resetkeys -@all ~app ~lock:* \(commands)")
  }

  @Test func nothingIsAllowedTwiceOrBesides() {
    let rules = AccessRules(needs(["a", "a", "*", "b"]), version: Version(8), configCommand: "CONFIG")
    #expect(rules.keys == ["%R~*"], "all keys include the others")
    #expect(rules.channels == [])
    #expect(rules.commands == ["+config|get", "+info", "+ping", "+type"])
    #expect(text([], Version(7)) == "resetkeys resetchannels -@all")
  }

  @Test func aRenamedConfigIsStillCalledConfig() {
    let needs = [AccessNeed("config", [["hidden", "GET", "*"]], lost: [])]
    #expect(text(needs, Version(7), configCommand: "hidden").hasSuffix("+config|get"))
  }

  /// A space in a pattern would begin another rule, such as `+@all`.
  @Test func aPatternStaysOneWord() {
    let rules = AccessRules(needs(["a +@all", "b\n~*", "\u{e9}"]), version: Version(7), configCommand: "CONFIG")
    #expect(rules.keys == ["%R~??", "%R~a?+@all", "%R~b?~*"])
    #expect(!rules.text.split(separator: " ").contains("+@all"))
  }
}
