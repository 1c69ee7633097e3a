import Testing

@testable import PromQL

@Suite struct AnnotationTests {
  @Test func theyAreGivenOnceWithTheirPlace() throws {
    var source = ArraySource()
    for node in ["a", "b"] {
      let samples = (0..<5).map { Sample(timestampMilliseconds: $0 * 60_000, value: Double($0)) }
      source.append(samples, to: ["__name__": "level", "node": node])
      source.append(samples, to: ["__name__": "sent_total", "node": node])
    }
    let query = try Query("rate(sent_total[5m]) +\n  rate(level[5m])")
    let result = try query.values(
      fromMilliseconds: 0, throughMilliseconds: 240_000, stepMilliseconds: 60_000, in: source)
    #expect(
      result.annotations.map { $0.description(in: query) } == [
        "PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"level\" (2:8)"
      ])
  }
}
