import TestSupport
import Testing

@testable import Alerting

@Suite(.timeLimit(.minutes(1))) struct TemplateTests {
  static let data = TemplateData(
    labels: ["__name__": "redis_up", "instance": "r1.example.com:6379", "job": "redis"],
    externalLabels: ["region": "eu"], externalURL: "http://redline.example/base", value: 0.9312345)

  struct Closed: Error, CustomStringConvertible {
    let description = "the store is closed"
  }

  static let context = TemplateContext(timeSeconds: 1_353_755_652, externalURL: "http://redline.example/base") {
    query in
    switch query {
    case "empty": return []
    case "broken": throw Closed()
    default:
      return [
        TemplateSample(labels: ["name": "b"], value: 2), TemplateSample(labels: ["name": "a"], value: 10.5),
      ]
    }
  }

  struct Case: CustomTestStringConvertible, Sendable {
    let template: String
    let expected: String
    var testDescription: String { template }
  }

  static func cases() -> [Case] {
    let text = (try? Fixtures.text("templates/good.txt")) ?? ""
    let body = text.split(separator: "\n", omittingEmptySubsequences: false).drop { $0.hasPrefix("#") }
    return body.dropLast().split(separator: "---", omittingEmptySubsequences: false).map { lines in
      let parts = lines.split(separator: "=>", maxSplits: 1, omittingEmptySubsequences: false)
      return Case(template: parts[0].joined(separator: "\n"), expected: parts[1].joined(separator: "\n"))
    }
  }

  @Test(arguments: cases())
  func expands(_ sample: Case) throws {
    let text = try AlertTemplate(sample.template, alert: "A").expand(Self.data, in: Self.context)
    let expected =
      sample.expected.hasPrefix("error ") ? "<error expanding template: \(sample.expected)>" : sample.expected
    #expect(text == expected)
  }

  static func badCases() -> [Case] {
    let text = (try? Fixtures.text("templates/bad.txt")) ?? ""
    return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
      let parts = line.split(separator: " => ", maxSplits: 1)
      return Case(template: String(parts[0]), expected: String(parts[1]))
    }
  }

  @Test(arguments: badCases())
  func refuses(_ sample: Case) {
    let error = #expect(throws: TemplateError.self) { try AlertTemplate(sample.template, alert: "A") }
    #expect(error?.description == sample.expected.replacing(" N:", with: " __alert_A:"))
  }

  @Test func caseFilesAreRead() {
    #expect(Self.cases().count > 40)
    #expect(Self.badCases().count > 20)
  }

  @Test(arguments: [
    String(repeating: "{{if true}}", count: 1000),
    "{{" + String(repeating: "(", count: 5000), String(repeating: "x", count: 70_000),
  ])
  func deepAndLongIsRefused(text: String) {
    #expect(throws: TemplateError.self) { try Template(text + "{{ 1 }}", name: "t") }
  }

  @Test(arguments: [
    "{{ range 1000000 }}x{{ end }}", "{{ range 400 }}{{ range 400 }}{{ range 400 }}{{ end }}{{ end }}{{ end }}",
    #"{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}"#,
    #"{{ range 1000 }}{{ printf "%1000s" "x" }}{{ end }}"#, #"{{ printf "%999999s %999999s" "x" "y" }}"#,
  ])
  func endlessWorkEndsInAnError(text: String) throws {
    let template = try AlertTemplate(text, alert: "A")
    let result = template.expand(Self.data, in: Self.context)
    #expect(result.hasPrefix("<error expanding template:") || result.utf8.count <= TemplateLimits.standard.outputBytes)
  }

  /// Neither reading nor carrying out may trap or run away, whatever the text.
  @Test func mutatedTemplatesAreSurvived() {
    var random = FixedRandom(state: 7)
    let sources = Self.cases().map(\.template)
    let tokens = ["{{", "}}", "$", ".", "|", "(", ")", "\"", "%", "range", "end", "-", "é", "\0", "*", "[1]", "1e999"]
    var readCount = 0
    for _ in 0..<4000 {
      let bytes = mutated(Array(sources.randomElement(using: &random)!.utf8), tokens: tokens, using: &random)
      guard let template = try? AlertTemplate(String(decoding: bytes, as: UTF8.self), alert: "A") else { continue }
      readCount += 1
      _ = template.expand(Self.data, in: Self.context)
    }
    #expect(readCount > 400)
  }
}
