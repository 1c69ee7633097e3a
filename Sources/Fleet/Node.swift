import Logging
import Metrics
import NIOCore
import Redis

/// A target with everything that is done to it, and the registry of what came of it.
public final class Node: Sendable {
  /// The address as the pages show it, without credentials.
  public let name: String
  public let poller: Poller
  public let registry: Registry
  /// Nil when nothing is to be done with keys.
  private let keyWork: KeyWork?
  private let schedule: PollSchedule?
  private let fleetPage: FleetPage?
  /// What all that is done to the target costs it.
  let cost: NodeCost
  private let publish: @Sendable (Samples, String) -> Void

  /// - Parameters:
  ///   - schedule: nil when only requests cause polls.
  ///   - loop: the event loop that polls; nil for any.
  ///   - live: further sources of the node's page.
  ///   - fleetPage: where the node's samples are shown among those of others.
  /// - Throws: ``KeyWorkError`` for a key group pattern that is no Lua pattern.
  public init(
    _ options: PollerOptions, keyWork keyWorkOptions: KeyWorkOptions, schedule: PollSchedule?,
    collectors: [any Collector] = CollectorCatalogue.all, context: ConnectionContext, on loop: (any EventLoop)? = nil,
    log: Logger, live: [@Sendable () -> Samples] = [], fleetPage: FleetPage? = nil
  ) throws {
    var log = log
    log[metadataKey: "target"] = "\(options.connection.address)"
    let registry = Registry(live: live)
    name = options.connection.address.description
    self.registry = registry
    self.schedule = schedule
    self.fleetPage = fleetPage
    let labels = options.constantLabels
    let publish: @Sendable (Samples, String) -> Void = { samples, source in
      registry.publish(samples, under: source)
      fleetPage?.publish(samples, under: source)
    }
    self.publish = publish
    let cost = NodeCost()
    self.cost = cost
    publish(KeyWork.idleSamples.with(constantLabels: labels), "keys")
    let poller = Poller(options, collectors: collectors, context: context, on: loop, log: log, cost: cost) {
      publish($0, "poll")
    }
    self.poller = poller
    let keyWork = try KeyWork(
      options: keyWorkOptions, connection: options.connection, context: context, log: log, node: cost
    ) { samples in
      var labelled = samples
      if options.appendsRole, let role = poller.newest?.facts?.role {
        var label = FurtherLabel(exceptTo: KeyWorkCost.all)
        labelled = label.add("instance_role", .text(role), to: samples)
      }
      publish(labelled.with(constantLabels: labels), "keys")
    }
    self.keyWork = keyWorkOptions.isIdle ? nil : keyWork
  }

  /// Shows what others than its own key work did with the target's keys.
  func publishKeyWork(_ samples: Samples, under source: String) {
    publish(samples.with(constantLabels: poller.options.constantLabels), source)
  }

  /// Polls in the background and does key work until the task is cancelled.
  public func run() async {
    await keyWork?.start()
    await schedule?.run(poller)
  }

  /// A page with a poll that began at `floor` or later, or the newest there is at the deadline.
  public func page(since floor: NIODeadline, until deadline: NIODeadline?) async -> Registry.Page {
    // A page that is fresh enough is given without a change of thread.
    if let newest = poller.newest, newest.started >= floor { return registry.page() }
    _ = await poller.snapshot(since: floor, until: deadline)
    return registry.page()
  }

  /// Waits until the first pass of key work has ended, or the deadline.
  public func firstKeyWork(until deadline: NIODeadline) async {
    await keyWork?.firstPass(deadline: deadline)
  }

  /// Takes note that files or permissions may have changed.
  public func reset() async { await poller.reset() }

  public func stop() async {
    await poller.stop()
    await keyWork?.stop()
    fleetPage?.close()
  }
}
