import Config
import Fleet
import Metrics

/// Watches a fleet for as long as it takes to find everybody, and no longer.
enum FleetSearch {
  /// How long the fleet is looked for, and how long nobody new must have been found.
  private static let limit: Duration = .seconds(20)
  private static let quietTime: Duration = .seconds(2)
  private static let pause: Duration = .milliseconds(100)

  /// - Parameter take: what is taken of the fleet once everybody has been found and polled.
  static func run<Result: Sendable>(
    _ config: FleetConfig, _ subject: AccessSubject, take: (Fleet) async -> Result
  ) async -> Result {
    let fleet = Fleet(
      config,
      context: FleetContext(
        connections: subject.factory.context, registry: Registry(live: []), environment: subject.environment,
        collectors: subject.factory.collectorOptions, clientName: nil, memberLimit: 10_000, store: nil,
        log: AccessSubject.log))
    await fleet.start()
    let clock = ContinuousClock()
    let began = clock.now
    var (seen, changed) = (0, began)
    while clock.now - began < limit {
      try? await Task.sleep(for: pause)
      let members = await fleet.members()
      if members.count != seen { (seen, changed) = (members.count, clock.now) }
      if clock.now - changed >= quietTime, members.allSatisfy({ $0.node.poller.newest != nil }) { break }
    }
    let result = await take(fleet)
    await fleet.stop()
    return result
  }
}
