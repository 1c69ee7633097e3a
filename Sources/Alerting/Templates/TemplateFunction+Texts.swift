import PromQL
import Runtime

/// Functions over texts, links and addresses.
extension TemplateFunction {
  static let texts: [String: TemplateFunction] = [
    "reReplaceAll": TemplateFunction([.string, .string, .string]) { values, _ in
      let regex = try PromQL.Regex(values.text(0), dotMatchesNewline: false)
      return .string(regex.replacingMatches(in: values.text(2), with: values.text(1)))
    },
    "match": TemplateFunction([.string, .string]) { values, _ in
      .bool(try PromQL.Regex(values.text(0), dotMatchesNewline: false).matchesAnywhere(in: values.text(1)))
    },
    "title": text(titled),
    "toUpper": text { $0.uppercased() },
    "toLower": text { $0.lowercased() },
    "safeHtml": text { $0 },
    "stripPort": text { HostPort($0)?.host ?? $0 },
    "stripDomain": text(withoutDomain),
    "graphLink": text { "/graph?g0.expr=\(queryEscaped($0))&g0.tab=0" },
    "tableLink": text { "/graph?g0.expr=\(queryEscaped($0))&g0.tab=1" },
    "urlQueryEscape": text(queryEscaped),
    "externalURL": TemplateFunction([]) { .string($1.context.externalURL) },
    "pathPrefix": TemplateFunction([]) { .string(path(of: $1.context.externalURL)) },
  ]

  private static func text(_ change: @escaping @Sendable (String) -> String) -> TemplateFunction {
    TemplateFunction([.string]) { values, _ in .string(change(values.text(0))) }
  }

  /// The first letter of each word in capitals. A dot or an apostrophe within a word does not end it.
  private static func titled(_ text: String) -> String {
    var result = ""
    var isInWord = false
    for character in text {
      let isWord = character.isLetter || character.isNumber || character == "_"
      result += isWord && !isInWord ? character.uppercased() : String(character)
      isInWord = isWord || (isInWord && (character == "'" || character == "." || character == "’"))
    }
    return result
  }

  private static func withoutDomain(_ text: String) -> String {
    let address = HostPort(text)
    let host = address?.host ?? text
    guard !HostPort.isIPAddress(host) else { return text }
    let name = String(host.prefix { $0 != "." })
    guard let port = address?.port, !port.isEmpty else { return name }
    return name.contains(":") ? "[\(name)]:\(port)" : "\(name):\(port)"
  }

  /// As in the query part of a URL: a space is a plus sign.
  static func queryEscaped(_ text: String) -> String { text.percentEncoded(space: "+") }

  private static func path(of url: String) -> String {
    var rest = Substring(url)
    if let colon = rest.firstIndex(of: ":"), rest[colon...].hasPrefix("://") {
      rest = rest[rest.index(colon, offsetBy: 3)...]
      rest = rest.drop { $0 != "/" && $0 != "?" && $0 != "#" }
    }
    return String(rest.prefix { $0 != "?" && $0 != "#" })
  }
}

/// `host:port` taken apart; `[::1]:80` loses its brackets.
struct HostPort {
  let host: String
  let port: String

  /// Nil when the text has no port or is not such an address.
  init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    port = String(text[text.index(after: colon)...])
    if text.hasPrefix("[") {
      guard let close = text.firstIndex(of: "]"), text.index(after: close) == colon else { return nil }
      host = String(text[text.index(after: text.startIndex)..<close])
    } else {
      host = String(text[..<colon])
      guard !host.contains(":") else { return nil }
    }
    guard !host.contains("["), !host.contains("]"), !port.contains("["), !port.contains("]") else { return nil }
  }

  static func isIPAddress(_ text: String) -> Bool {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    if parts.count == 4, parts.allSatisfy({ UInt8($0) != nil && !$0.hasPrefix("+") }) { return true }
    let groups = text.split(separator: ":", omittingEmptySubsequences: false)
    guard groups.count >= 3, groups.count <= 9 else { return false }
    let isShortened = text.contains("::")
    return (isShortened || groups.count == 8)
      && groups.allSatisfy { $0.isEmpty || ($0.count <= 4 && UInt16($0, radix: 16) != nil) || $0.contains(".") }
  }
}
