import Config
import Fleet

/// What stands above the text of a runbook, between two lines of `---`, as YAML: what is gathered when its alert begins.
public struct RunbookFrontMatter: Sendable, Equatable {
  /// Names of sources; nil where it names none.
  public let evidence: Set<String>?

  private static let fence = "---"

  /// The front matter, and the text without it.
  static func split(_ text: String) -> (matter: String?, text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.first == fence[...], let end = lines.dropFirst().firstIndex(of: fence[...]) else { return (nil, text) }
    let rest = lines[(end + 1)...].drop { $0.isEmpty }
    return (lines[1..<end].joined(separator: "\n"), rest.joined(separator: "\n"))
  }

  /// - Parameters:
  ///   - text: of the whole runbook.
  ///   - file: names it in errors.
  /// - Throws: what is wrong with it, with its line.
  public init(_ text: String, file: String) throws(ConfigErrors) {
    guard let matter = Self.split(text).matter else {
      evidence = nil
      return
    }
    // The line above it counts, too.
    let node = try YAMLNode.parse(Array("\n\(matter)\n".utf8), file: file)
    evidence = try node.decode(file: file) { fields -> Set<String>? in
      let names = fields.list("evidence", of: .nonEmptyString, "What is gathered when the alert begins.")
      for name in names where !EvidenceNames.all.contains(name) {
        let meant = nearest(to: name, in: EvidenceNames.all).map { "did you mean \($0)?" }
        fields.report(
          "evidence", value: name, problem: "is no source of evidence",
          hint: meant ?? "sources are \(EvidenceNames.all.joined(separator: ", "))")
      }
      return fields.contains("evidence") ? Set(names) : nil
    }
  }
}

extension RunbookSource {
  /// What is gathered about an alert: what its runbook names, the usual where it names nothing.
  ///
  /// - Parameter complain: is told what is wrong with the front matter of a runbook.
  public func evidence(of alert: String, complain: @escaping @Sendable (ConfigErrors) -> Void) async -> Set<String> {
    await read(orElse: EvidenceNames.usual) { library in
      do throws(ConfigErrors) {
        return try library.frontMatter(alert)?.evidence ?? EvidenceNames.usual
      } catch {
        complain(error)
        return EvidenceNames.usual
      }
    }
  }
}
