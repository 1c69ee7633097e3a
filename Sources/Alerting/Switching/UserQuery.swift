import PromQL
import Runtime

/// A query that somebody wrote into a rule or a dashboard.
public struct UserQuery: Sendable {
  public enum Kind: String, Sendable {
    case alert
    case recording = "record"
    case panel, variable, annotation

    public var isRule: Bool { self == .alert || self == .recording }
  }

  public let kind: Kind
  /// Of the alert, the recorded series, the panel, the variable or the annotation.
  public let name: String
  /// The rule's group, or the dashboard.
  public let place: String
  public let text: String
  /// Nil where it cannot be read.
  public let expression: Expression?
  /// Why it cannot be read.
  public let problem: String?
  /// The label whose values a dashboard's variable lists.
  public let listedLabel: String?

  init(
    _ kind: Kind, name: String, place: String, text: String, expression: Expression?, problem: String? = nil,
    listedLabel: String? = nil
  ) {
    self.kind = kind
    self.name = name
    self.place = place
    self.text = text
    self.expression = expression
    self.problem = problem
    self.listedLabel = listedLabel
  }

  /// `alert RedisDown (redis)`.
  public var title: String { "\(kind.rawValue) \(name) (\(place))".cut(toBytes: ForeignText.byteLimit) }
}

/// The variables of a dashboard in a query, filled in so that it can be read.
enum GrafanaVariables {
  /// Stands in matchers for whatever is chosen.
  static let anyValue = "redline_any_value"
  private static let durations = ["__interval", "__rate_interval", "__range", "interval", "window", "range"]
  /// Behind these, labels stand in parentheses.
  private static let listing: Set<String> = ["by", "without", "on", "ignoring", "group_left", "group_right"]

  /// The readings to try, in their order: a variable in quotes is a value, one in brackets a duration, any other a number or
  /// a name.
  static func readings(of text: String) -> [String] {
    let number = filled(text, elsewhere: "5")
    let name = filled(text, elsewhere: anyValue)
    return number == name ? [number] : [number, name]
  }

  private static func filled(_ text: String, elsewhere: String) -> String {
    var result = ""
    var quote: Character?
    var isEscaped = false
    var (isInBrackets, isInLabels) = (false, false)
    var rest = Substring(text)
    while let character = rest.first {
      if let variable = variable(at: rest) {
        rest = rest[variable.end...]
        if quote != nil {
          result += anyValue
        } else if variable.name.hasSuffix("_s") || variable.name.hasSuffix("_ms") {
          result += "3600"
        } else if isInBrackets || durations.contains(variable.name) || result.hasSuffix("offset ") {
          result += variable.name == "__range" ? "1h" : "5m"
        } else {
          result += isInLabels ? anyValue : elsewhere
        }
        // `${n}s`: the unit belongs to the variable's number, and has been given.
        if isInBrackets, let unit = rest.first, "smhdw".contains(unit) { rest = rest.dropFirst() }
        isEscaped = false
        continue
      }
      rest = rest.dropFirst()
      if quote == nil, character == "(" {
        let word = result.split { !$0.isLetter && $0 != "_" }.last.map(String.init) ?? ""
        isInLabels = listing.contains(word.lowercased()) && result.last.map { $0 == " " || $0.isLetter } ?? false
      } else if quote == nil, character == ")" {
        isInLabels = false
      }
      result.append(character)
      if isEscaped {
        isEscaped = false
      } else if let open = quote {
        if character == "\\", open != "`" { isEscaped = true }
        if character == open { quote = nil }
      } else if "\"'`".contains(character) {
        quote = character
      } else if character == "[" {
        isInBrackets = true
      } else if character == "]" {
        isInBrackets = false
      }
    }
    return result
  }

  /// `$name`, `${name}`, `${name:format}`, `[[name]]` at the beginning of the text.
  private static func variable(at text: Substring) -> (name: String, end: Substring.Index)? {
    func isWord(_ character: Character) -> Bool {
      character == "_" || (character.isASCII && (character.isLetter || character.isNumber))
    }
    func enclosed(_ open: String, _ close: String) -> (String, Substring.Index)? {
      guard text.hasPrefix(open) else { return nil }
      let inside = text.dropFirst(open.count)
      guard let end = inside.firstRange(of: close), inside.first.map(isWord) ?? false else { return nil }
      return (String(inside[..<end.lowerBound].prefix(while: isWord)), end.upperBound)
    }
    if let found = enclosed("${", "}") ?? enclosed("[[", "]]") { return found }
    guard text.first == "$", let next = text.dropFirst().first, next == "_" || (next.isASCII && next.isLetter) else {
      return nil
    }
    let name = text.dropFirst().prefix(while: isWord)
    return (String(name), name.endIndex)
  }
}

/// The queries of one dashboard as Grafana exports it.
public struct GrafanaDashboard: Sendable {
  public let title: String
  public let queries: [UserQuery]

  /// - Throws: what is wrong with the text; it is not repeated.
  public init(_ bytes: [UInt8], file: String, dialect: Dialect) throws(DashboardError) {
    let text: JSONValue
    do throws(JSONError) {
      text = try JSONReader.value(bytes, limits: JSONReader.Limits(bytes: 32 << 20))
    } catch {
      throw DashboardError(description: "\(file) is no JSON: \(error)")
    }
    // What the API answers has it inside.
    let root = text["dashboard"] ?? text
    guard root["panels"] != nil || root["rows"] != nil else {
      throw DashboardError(
        description: "\(file) is no dashboard of Grafana: it has no panels; export it with Share, Export, Save to file")
    }
    let title = root["title"]?.string ?? file
    self.title = title
    var queries: [UserQuery] = []
    var panels = (root["panels"]?.elements ?? []) + (root["rows"]?.elements ?? [])
    while let panel = panels.popLast() {
      panels += panel["panels"]?.elements ?? []
      let name = panel["title"]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? "without a title"
      for target in panel["targets"]?.elements ?? [] {
        guard let text = target["expr"]?.string, !text.isEmpty else { continue }
        queries.append(Self.query(.panel, name, title, text, dialect))
      }
    }
    queries.reverse()
    for variable in root["templating"]?["list"]?.elements ?? [] where variable["type"]?.string ?? "query" == "query" {
      let text = variable["query"]?.string ?? variable["query"]?["query"]?.string ?? variable["definition"]?.string
      guard let text, !text.isEmpty else { continue }
      queries.append(contentsOf: Self.variable(variable["name"]?.string ?? "?", title, text, dialect))
    }
    for annotation in root["annotations"]?["list"]?.elements ?? [] {
      guard let text = annotation["expr"]?.string, !text.isEmpty else { continue }
      queries.append(Self.query(.annotation, annotation["name"]?.string ?? "?", title, text, dialect))
    }
    self.queries = queries
  }

  public struct DashboardError: Error, CustomStringConvertible {
    public let description: String
  }

  private static func query(
    _ kind: UserQuery.Kind, _ name: String, _ place: String, _ text: String, _ dialect: Dialect,
    listedLabel: String? = nil
  ) -> UserQuery {
    var problem: String?
    for reading in GrafanaVariables.readings(of: text) {
      do throws(QuerySyntaxError) {
        let query = try Query(reading, dialect: dialect)
        return UserQuery(
          kind, name: name, place: place, text: text, expression: query.expression, listedLabel: listedLabel)
      } catch {
        if problem == nil { problem = error.message }
      }
    }
    return UserQuery(kind, name: name, place: place, text: text, expression: nil, problem: problem)
  }

  /// `label_values(metric, label)`, `query_result(query)`; what lists labels or names alone reads no series.
  private static func variable(_ name: String, _ place: String, _ text: String, _ dialect: Dialect) -> [UserQuery] {
    let trimmed = text.split(separator: " ").joined(separator: " ")
    func argument(of function: String) -> Substring? {
      guard trimmed.hasPrefix("\(function)("), trimmed.hasSuffix(")") else { return nil }
      return trimmed.dropFirst(function.count + 1).dropLast()
    }
    if let query = argument(of: "query_result") { return [self.query(.variable, name, place, String(query), dialect)] }
    guard let listed = argument(of: "label_values"), let comma = listed.lastIndex(of: ",") else { return [] }
    let label = listed[listed.index(after: comma)...].split(separator: " ").joined()
    return [query(.variable, name, place, String(listed[..<comma]), dialect, listedLabel: label)]
  }
}
