import ArgumentParser
import Fleet

/// A server that ACL rules are meant for, as users name it: `redis-7.0`, `valkey-8.1`.
struct ServerVersion: ExpressibleByArgument {
  let product: ServerFacts.Product
  let version: Version

  /// The first with ACLs.
  private static let oldest = Version(6)

  init?(argument: String) {
    let halves = argument.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    guard halves.count == 2, halves[1].first?.isNumber == true else { return nil }
    switch halves[0].lowercased() {
    case "redis": product = .redis
    case "valkey": product = .valkey
    default: return nil
    }
    version = Version(String(halves[1]))
    guard version >= Self.oldest else { return nil }
  }

  var defaultValueDescription: String { "\(product)-\(version.major).\(version.minor)" }
  static let allValueStrings: [String] = []

  func facts(_ mode: ServerFacts.Mode, sentinelMasters: [String] = []) -> ServerFacts {
    ServerFacts(product: product, version: version, mode: mode, sentinelMasters: sentinelMasters)
  }

  /// As Redis counts: what decides about the language of ACLs.
  var redisVersion: Version { product == .valkey ? Version(7, 2, 4) : version }
}
