import Redis
import Runtime

/// Knows servers again that are reached by several addresses, such as a seed's name and the address that its replicas name.
///
/// A process has one run id: two addresses that answer with the same one are one server.
struct Identities: Sendable {
  /// The addresses that win against others of the same server: those of the configuration.
  let preferred: Set<NodeAddress>
  private var canonical: [NodeAddress: NodeAddress] = [:]
  /// When each address first answered, as the number of that round.
  private var firstRounds: [NodeAddress: Int] = [:]
  private var round = 0

  init(preferred: Set<NodeAddress>) { self.preferred = preferred }

  /// The address under which a server is known here.
  subscript(address: NodeAddress) -> NodeAddress { canonical[address] ?? address }

  /// All names that are another address's.
  var aliases: Set<NodeAddress> { Set(canonical.keys) }

  /// Other names of an address.
  func aliases(of address: NodeAddress) -> Set<NodeAddress> {
    Set(canonical.filter { $0.value == address }.map(\.key))
  }

  mutating func learn(_ readings: [MemberReading]) {
    let named = readings.filter { !($0.facts?.server.runID ?? "").isEmpty }
    round += 1
    let all = Set(readings.map(\.address))
    firstRounds = firstRounds.filter { all.contains($0.key) }
    for reading in named where firstRounds[reading.address] == nil { firstRounds[reading.address] = round }
    for (_, same) in Dictionary(grouping: named, by: { $0.facts?.server.runID ?? "" }) where same.count > 1 {
      // A newcomer that gives a member's run id for its own takes nobody's place.
      let addresses = same.map(\.address).sorted { (firstRounds[$0] ?? 0, $0) < (firstRounds[$1] ?? 0, $1) }
      let best = addresses.first { preferred.contains($0) } ?? addresses[0]
      for address in addresses where address != best { canonical[address] = best }
      canonical[best] = nil
    }
    // An address that answers as another server by now is no alias any more.
    let runIDs = Dictionary(named.map { ($0.address, $0.facts?.server.runID) }, uniquingKeysWith: { first, _ in first })
    canonical = canonical.filter { alias, address in
      guard let own = runIDs[alias], let other = runIDs[address] else { return true }
      return own == other
    }
  }
}

extension ReplicationFacts {
  /// The same with the servers that it names under other addresses.
  func renamed(_ rename: (NodeAddress) -> NodeAddress) -> ReplicationFacts {
    var facts = self
    facts.masterAddress = masterAddress.map(rename)
    facts.otherMasters = otherMasters.map(rename)
    facts.replicas = replicas.map {
      Replica(address: rename($0.address), state: $0.state, offset: $0.offset, ackAgeSeconds: $0.ackAgeSeconds)
    }
    return facts
  }
}
