import Metrics
import Testing

@testable import Fleet

@Suite struct FleetPageTests {
  private func samples(_ instance: String) -> Samples {
    var sink = SampleSink()
    sink.add(PollFamilies.up, 1)
    return sink.finish(constantLabels: [("instance", .text(instance))])
  }

  @Test func whatIsClosedNeverComesBack() {
    let registry = Registry()
    let (one, two) = (FleetPage(registry, name: "one"), FleetPage(registry, name: "two"))
    one.publish(samples("one"), under: "poll")
    two.publish(samples("two"), under: "poll")
    one.publish(samples("one"), under: "keys")
    #expect(registry.page().sources.count == 3)
    one.close()
    // A poll that was under way ends late.
    one.publish(samples("one"), under: "poll")
    #expect(registry.page().sources.count == 1)
    #expect(String(decoding: Exposition().page(registry.page().sources), as: UTF8.self).contains("instance=\"two\""))
  }
}
