import Config
import PromQL
import Runtime

/// What the API of a Prometheus answers, as values of ours. Foreign input: what is not as expected is left out or refused.
public enum PrometheusAnswer {
  /// Rules as they are loaded there.
  public struct Rules: Sendable {
    public let groups: [RuleGroup]
    /// Rules that our engine refuses, and why.
    public let refused: [UserQuery]
  }

  /// - Parameter data: of `/api/v1/rules`.
  public static func rules(_ data: JSONValue, dialect: Dialect) -> Rules {
    var refused: [UserQuery] = []
    let groups = (data["groups"]?.elements ?? []).map { group in
      let name = group["name"]?.string ?? "?"
      let file = group["file"]?.string ?? ""
      var rules: [Rule] = []
      for text in group["rules"]?.elements ?? [] {
        do throws(Refusal) {
          rules.append(try rule(text, index: rules.count, file: file, dialect: dialect))
        } catch {
          let kind: UserQuery.Kind = text["type"]?.string == "recording" ? .recording : .alert
          refused.append(
            UserQuery(
              kind, name: text["name"]?.string ?? "?", place: name, text: text["query"]?.string ?? "", expression: nil,
              problem: error.problem))
        }
      }
      return RuleGroup(
        file: file, name: name, intervalMilliseconds: milliseconds(group["interval"]), queryOffsetMilliseconds: nil,
        limit: group["limit"]?.number.map { Int(clamping: $0) } ?? 0, rules: rules, mark: mark)
    }
    return Rules(groups: groups, refused: refused)
  }

  private struct Refusal: Error {
    let problem: String
  }
  private static let mark = SourceMark(line: 1, column: 1)

  private static func rule(
    _ text: JSONValue, index: Int, file: String, dialect: Dialect
  ) throws(Refusal) -> Rule {
    let name = text["name"]?.string ?? ""
    let query: Query
    do throws(QuerySyntaxError) {
      query = try Query(text["query"]?.string ?? "", dialect: dialect)
    } catch {
      throw Refusal(problem: error.message)
    }
    let place = RulePlace(
      file: file, path: "rules[\(index)]", mark: mark, expression: ScalarPlace(mark, in: [Substring(query.text)]))
    let labels = (text["labels"]?.members ?? []).compactMap { member in member.value.string.map { (member.name, $0) } }
    guard text["type"]?.string == "alerting" else {
      return .recording(
        RecordingRule(
          name: name, query: query, labels: Dictionary(labels) { _, last in last }, place: place))
    }
    var templates: [String: AlertTemplate] = [:]
    for (label, value) in labels {
      do throws(TemplateError) {
        templates[label] = try AlertTemplate(value, alert: name)
      } catch {
        throw Refusal(problem: "the template of its label \(label) cannot be read: \(error.problem)")
      }
    }
    // What its annotations say is no verdict.
    return .alerting(
      AlertingRule(
        name: name, query: query, forMilliseconds: milliseconds(text["duration"]) ?? 0,
        keepFiringForMilliseconds: milliseconds(text["keepFiringFor"]) ?? 0, labels: templates, annotations: [:],
        place: place))
  }

  private static func milliseconds(_ seconds: JSONValue?) -> Int64? {
    seconds?.number.map { Int64(clamping: $0 * 1000) }.flatMap { $0 > 0 ? $0 : nil }
  }

  /// The series of a vector or matrix, with their samples; nil for another type of result.
  public static func series(_ data: JSONValue) -> [Series]? {
    guard ["vector", "matrix"].contains(data["resultType"]?.string) else { return nil }
    return (data["result"]?.elements ?? []).map { one in
      let labels = Labels((one["metric"]?.members ?? []).map { Labels.Pair($0.name, $0.value.string ?? "") })
      let points = one["values"]?.elements ?? one["value"].map { [$0] } ?? []
      return Series(
        labels: labels,
        samples: points.compactMap { point in
          guard point.elements.count == 2, let seconds = point.elements[0].number,
            let value = point.elements[1].string.flatMap(Double.init)
          else { return nil }
          return Sample(timestampMilliseconds: Int64(clamping: (seconds * 1000).rounded()), value: value)
        })
    }
  }
}
