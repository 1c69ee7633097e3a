import Testing

@testable import Web

/// Pages of servers that tell of themselves what cannot be: they are whole, and a person can read them.
@Suite struct ExtremeNumberTests {
  static let numbers: [Double] = [
    0, -0.0, -1, 1e-300, 0x1p53, -0x1p53, 9.3e18, -9.3e18, 1e300, -1e300, .infinity, -.infinity, .nan,
    .leastNonzeroMagnitude,
    .greatestFiniteMagnitude,
  ]

  private func expectReadable(_ response: Response, _ number: Double) {
    let page = String(decoding: response.body.bytes, as: UTF8.self)
    #expect(response.status == 200 && page.hasSuffix("</html>\n"))
    let shown = page.split(separator: "<").map { $0.drop { $0 != ">" }.dropFirst() }.joined(separator: " ")
    #expect(!shown.contains("9223372036854775807") && !shown.contains("-9223372036854775808"), "\(number)")
  }

  @Test(arguments: numbers) func topology(_ number: Double) {
    var node = TopologyPage.Node("n", role: "master", state: "up", level: .good)
    node.lagSeconds = number
    node.usedMemoryBytes = number > 0 ? .max : .min
    node.memoryUsedRatio = number
    node.memoryAsOfSeconds = number
    node.lagAsOfSeconds = number
    var workload = TopologyPage.Workload(
      "w", state: .critical, traits: ["queue"], presentCount: .max, expectedCount: .min)
    workload.failovers = .init(count: .max, lastAgeSeconds: number)
    var budget = BudgetBar("Availability", badSeconds: number, knownSeconds: number)
    (budget.remainingRatio, budget.burn, budget.knownSinceSeconds) = (number, number, number)
    workload.budgets = [budget]
    workload.memoryObjectiveRatio = number
    workload.groups = [TopologyPage.Group("", [node])]
    let page = TopologyPage(version: "1", metricsPath: "/metrics", workloads: [workload], nowSeconds: 0)
    #expect(String(decoding: page.response().body.bytes, as: UTF8.self).hasSuffix("</html>\n"))
  }

  @Test(arguments: numbers) func node(_ number: Double) {
    var page = NodePage("n", metricsPath: "/metrics", nowSeconds: number)
    for unit in [TimeSeries.Unit.bytes, .seconds, .ratio, .perSecond, .count] {
      page.figures.append(NodePage.Figure("f", unit.words(number)))
      let courses: [[Double?]] = [
        [number], [number, nil, 1, number], [-number, number], Array(repeating: number, count: 400),
      ]
      for points in courses {
        page.figures.append(NodePage.Figure("f", TimeSeries(points, unit: unit, stepSeconds: 1), nowSeconds: number))
      }
    }
    var log = NodePage.SlowLog()
    log.entryCount = number
    log.newestDurationSeconds = number
    log.newestSeconds = number
    log.addedInHour = number
    page.slowLog = log
    page.condition.asOfSeconds = number
    page.clients = [NodePage.ClientName("c", count: number)]
    expectReadable(page.response(), number)
  }

  @Test(arguments: numbers) func words(_ number: Double) {
    let words = [
      age(number), span(number), percent(number), fineSpan(number), Web.number(number), utc(number),
      size(number > 0 ? .max : .min),
    ]
    #expect(words.allSatisfy { !$0.isEmpty && $0.utf8.count < 32 }, "\(words)")
  }
}
