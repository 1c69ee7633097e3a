import Metrics
import Testing

@testable import Fleet

struct LatencyGridTests {
  /// The edges against the formula: `1032 * 2^k - 1` ns.
  @Test func edgesFollowTheFormula() {
    for step in 0..<LatencyGrid.count {
      let nanoseconds = Double(1032 << step) - 1
      #expect(Double(LatencyGrid.microseconds.bounds[step]) == nanoseconds / 1e3)
      #expect(Double(LatencyGrid.seconds.bounds[step]) == nanoseconds / 1e9)
      #expect(LatencyGrid.step(printedAs: (nanoseconds / 1000).rounded(.down)) == step)
    }
    #expect(LatencyGrid.microseconds.count == LatencyGrid.count)
    #expect(LatencyGrid.seconds.count == LatencyGrid.count)
  }

  /// Edges as servers print them; other numbers fall into the step that holds them.
  @Test(arguments: [
    (1, 0), (2, 1), (4, 2), (16, 4), (33, 5), (66, 6), (132, 7), (264, 8), (528, 9), (16908, 14), (1_082_130, 20),
    (0, 0), (-5, 0), (3, 2), (1024, 10),
  ])
  func printedEdges(_ printed: Double, _ step: Int) { #expect(LatencyGrid.step(printedAs: printed) == step) }

  @Test func beyondTheGridThereIsNoStep() {
    #expect(LatencyGrid.step(printedAs: 1_082_131) == nil)
    #expect(LatencyGrid.step(printedAs: .greatestFiniteMagnitude) == nil)
  }
}
