import Config
import Fleet
import Runtime
import Testing

@testable import API

struct RunbookFrontMatterTests {
  @Test func isNoPartOfTheText() {
    let text = "---\nevidence: [slowlog]\n---\n\n# RedisDown\n\n---\nmore\n"
    #expect(RunbookFrontMatter.split(text).text == "# RedisDown\n\n---\nmore\n")
    #expect(RunbookFrontMatter.split("# RedisDown\n").matter == nil)
    #expect(RunbookFrontMatter.split("---\nno end\n").text == "---\nno end\n")
  }

  @Test func namesEvidence() throws {
    #expect(
      try RunbookFrontMatter("---\nevidence: [slowlog, host]\n---\n# A\n", file: "A.md").evidence == [
        "slowlog", "host",
      ])
    #expect(try RunbookFrontMatter("---\nevidence: []\n---\n# A\n", file: "A.md").evidence == [])
    #expect(try RunbookFrontMatter("# A\n", file: "A.md").evidence == nil)
  }

  @Test func saysWhatIsWrongAndWhere() {
    func error(_ text: String) -> String {
      do throws(ConfigErrors) {
        _ = try RunbookFrontMatter(text, file: "A.md")
        return ""
      } catch {
        return "\(error)"
      }
    }
    #expect(
      error("---\nevidence: [slowlogs]\n---\n")
        == "A.md:2:11: evidence: \"slowlogs\" is no source of evidence; did you mean slowlog?")
    #expect(
      error("---\nevidences: [slowlog]\n---\n").contains(
        "A.md:2:1: unknown key \"evidences\"; did you mean \"evidence\"?"))
    #expect(error("---\nevidence: {a: [\n---\n").hasPrefix("A.md:"))
  }

  /// Those that are shipped.
  @Test func ourOwnAreRead() throws {
    let folder = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let library = RunbookLibrary(directory: "/\(folder)/alerts/runbooks")
    try #require(library.names().count > 40)
    for name in library.names() {
      let matter = try #require(try library.frontMatter(name))
      #expect(!name.hasPrefix("Redis") || matter.evidence?.isEmpty == false, "\(name)")
      #expect(library.text(name)?.hasPrefix("# \(name)\n") == true, "\(name)")
    }
  }
}
