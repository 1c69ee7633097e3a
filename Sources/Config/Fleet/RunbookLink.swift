import Runtime

/// A link that is shown with runbooks, such as to the host's dashboard or to the last deploys: one of `rules.runbook_links`.
public struct RunbookLink: Sendable, Equatable {
  /// What stands for something in `url`, as `{workload}`.
  public enum Part: String, Sendable, CaseIterable {
    case workload, instance, host, environment
  }

  static let limit = 20

  public let title: String
  /// An address of the web with placeholders in it.
  public let url: String

  init(_ fields: MappingReader) {
    title = fields.required("title", .oneLine(upToBytes: 100), "What the link is called.")
    url = fields.required(
      "url", .linkTemplate, "Where it leads; `{workload}`, `{instance}`, `{host}` and `{environment}` are filled in.")
  }

  /// The address for an alert; nil where a part that stands in it is not known.
  ///
  /// - Parameter value: of a part, which is put in percent-encoded.
  public func address(_ value: (Part) -> String?) -> String? {
    var address = ""
    var rest = url[...]
    while let start = rest.firstIndex(of: "{"), let end = rest[start...].firstIndex(of: "}") {
      guard let part = Part(rawValue: String(rest[rest.index(after: start)..<end])),
        let text = value(part), !text.isEmpty
      else { return nil }
      address += rest[..<start] + text.percentEncoded()
      rest = rest[rest.index(after: end)...]
    }
    return address + rest
  }
}

extension ScalarType<String> {
  /// `https://host/path?query` with `{parts}`.
  fileprivate static var linkTemplate: ScalarType {
    let names = RunbookLink.Part.allCases.map { "{\($0.rawValue)}" }
    return ScalarType(placeholder: "", name: "web address", range: "with \(orList(names))") { text throws(Mismatch) in
      guard let scheme = ["https://", "http://"].first(where: { text.hasPrefix($0) }), text.utf8.count <= 2000,
        let first = text.dropFirst(scheme.count).first, !"/?#{".contains(first),
        !text.unicodeScalars.contains(where: { $0.isInvisible || " \"<>\\`|".unicodeScalars.contains($0) }),
        !text.dropFirst(scheme.count).prefix(while: { !"/?#".contains($0) }).contains("@")
      else {
        throw Mismatch(
          "is not a web address", hint: "write https://host/path, without user, blanks and quotes",
          isUnshown: text.contains("@"))
      }
      var rest = text[...]
      while let start = rest.firstIndex(where: { "{}".contains($0) }) {
        guard rest[start] == "{", let end = rest[start...].firstIndex(of: "}") else {
          throw Mismatch("has a brace that opens or closes nothing", hint: "use \(names.joined(separator: ", "))")
        }
        let name = String(rest[rest.index(after: start)..<end])
        guard RunbookLink.Part(rawValue: name) != nil else {
          let meant = nearest(to: name, in: RunbookLink.Part.allCases.map(\.rawValue)).map { "did you mean {\($0)}?" }
          throw Mismatch("has {\(name)}, which nothing fills in", hint: meant ?? "use \(names.joined(separator: ", "))")
        }
        rest = rest[rest.index(after: end)...]
      }
      return text
    }
  }
}
