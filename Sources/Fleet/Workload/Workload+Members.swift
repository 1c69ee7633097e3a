import Config
import Logging
import Redis
import Runtime
import Storage

/// Events and log lines about the members: arrivals, departures and changes of each one.
extension Workload {
  /// Keeps what the readings say about the members, and the events that follow.
  func tell(_ readings: [MemberReading], atSeconds wall: Double) {
    journal.forget(following.aliases)
    let events = journal.note(readings, workload: config.name, instance: instance, atSeconds: wall)
    archive.keep(journal.takeChanges(), of: journal.records, events, atSeconds: wall)
  }

  /// Compares the members with those of the last time.
  func settle(_ now: Double) {
    isSettled = true
    guard !remembered.isEmpty else { return }
    for address in roster.members.keys.sorted() where !remembered.contains(address) && isTrusted(address) {
      keepArrival(address)
    }
    for address in remembered.sorted() where roster.members[address] == nil && !following.aliases.contains(address) {
      if config.topology == .static {
        keepDeparture(address)
      } else if factory.policy.refusal(of: address) == nil {
        // It may be the one that is down and that nobody names any more.
        roster.remember(address, atSeconds: now)
      }
    }
  }

  private func keepArrival(_ address: NodeAddress) { keep(.arrival, instance(address), "is a new member") }

  private func keepDeparture(_ address: NodeAddress) {
    keep(.departure, journal.records[address]?.instance ?? instance(address), "is a member no more")
    journal.forget([address])
    archive.keep(journal.takeChanges(), of: journal.records, [], atSeconds: wallClockSeconds())
  }

  private func keep(_ kind: EventKind, _ name: String, _ what: String) {
    archive.append([
      Event(atSeconds: wallClockSeconds(), workload: config.name, node: name, kind: kind, summary: "\(name) \(what)")
    ])
  }

  func tell(_ change: Roster.Change) {
    switch change {
    case .arrived(let address):
      guard isTrusted(address) else { return }
      log.info("member found", metadata: ["node": "\(address)"])
      if isSettled { keepArrival(address) }
    case .went(let address): log.warning("member is missing", metadata: ["node": "\(address)"])
    case .returned(let address): log.info("member is back", metadata: ["node": "\(address)"])
    case .becameGhost(let address):
      log.info(
        "member is a ghost: it is gone, and the workload is complete without it", metadata: ["node": "\(address)"])
    case .dropped(let address):
      log.info("member dropped", metadata: ["node": "\(address)"])
      if isSettled { keepDeparture(address) }
    }
  }
}
