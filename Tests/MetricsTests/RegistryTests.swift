import Runtime
import Testing

@testable import Metrics

@Suite struct RegistryTests {
  /// The daemon publishes for months: no publication may cost more stack than the one before.
  @Test func observingStaysAsShallowAsAtFirst() {
    let registry = Registry()
    let places = Lock<[UInt]>([])
    registry.onPublish { _, key in
      // Of a size that is known only now, since AddressSanitizer puts other variables elsewhere than on the stack.
      let place = unsafe withUnsafeTemporaryAllocation(byteCount: 16 * key.utf8.count, alignment: 16) { memory in
        unsafe memory.baseAddress.map { UInt(bitPattern: $0) } ?? 0
      }
      places.withLock { $0.append(place) }
    }
    for _ in 0..<1000 { registry.publish(.none, under: "a") }
    let seen = places.withLock { $0 }
    #expect(seen.count == 1000)
    #expect(Set(seen).count == 1, "as deep in the stack each time, not \(seen.max()! - seen.min()!) bytes deeper")
  }

  @Test func aSourceThatReadsTheRegistryComesAfterIt() {
    let registry = Registry(live: [{ .none }])
    let before = registry.page()
    registry.add { [weak registry] in
      // As a page of its own, which must not wait for the one that is being put together.
      registry?.withdraw("a")
      return .none
    }
    let page = registry.page()
    #expect(page.sources.count == 2)
    #expect(page.keys == ["live/0", "live/1"])
    #expect(page.generation > before.generation, "the page without it is not served on")
  }
}
