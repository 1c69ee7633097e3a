import Runtime
import Testing

@testable import Metrics

@Suite struct RegistryTests {
  /// The daemon publishes for months: no publication may cost more stack than the one before.
  @Test func observingStaysAsShallowAsAtFirst() {
    let registry = Registry()
    let places = Lock<[UInt]>([])
    registry.onPublish { _, _ in
      var local = 0
      let place = unsafe withUnsafeMutablePointer(to: &local) { UInt(bitPattern: $0) }
      places.withLock { $0.append(place) }
    }
    for _ in 0..<1000 { registry.publish(.none, under: "a") }
    let seen = places.withLock { $0 }
    #expect(seen.count == 1000)
    #expect(Set(seen).count == 1, "as deep in the stack each time, not \(seen.max()! - seen.min()!) bytes deeper")
  }
}
