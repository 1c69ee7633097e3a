import Redis
import Runtime

/// What INFO says of a server that decides what else it is asked. Equal facts mean an equal plan of commands.
public struct ServerFacts: Sendable, Equatable {
  public enum Product: Sendable, Equatable { case redis, valkey, keydb }
  public enum Mode: Sendable, Equatable { case standalone, cluster, sentinel }

  public let product: Product
  /// `redis_version`: of a Valkey server the Redis version that it is compatible with (7.2.4).
  public let version: Version
  /// `valkey_version`, where there is one.
  public let valkeyVersion: Version?
  public let mode: Mode
  /// `master`, `slave`, `sentinel` or empty, as INFO names it.
  public let role: String
  public let runID: String
  public let isClusterEnabled: Bool
  /// The masters that a Sentinel watches, in its order.
  public let sentinelMasters: [String]
  /// Further masters, which it is not asked about.
  public let omittedMasterCount: Int

  public init(_ info: InfoText) {
    version = Version(info.text("redis_version") ?? "")
    valkeyVersion = info.text("valkey_version").map { Version($0) }
    mode =
      switch info.text("redis_mode") ?? info.text("server_mode") {
      case "sentinel": .sentinel
      case "cluster": .cluster
      default: info.sections.contains("Sentinel") ? .sentinel : .standalone
      }
    if valkeyVersion != nil {
      product = .valkey
    } else if info["mvcc_depth"] != nil || info["server_threads"] != nil {
      product = .keydb
    } else {
      product = .redis
    }
    role = info.text("role") ?? (mode == .sentinel ? "sentinel" : "")
    runID = info.text("run_id") ?? ""
    isClusterEnabled = info.flag("cluster_enabled") == true
    let masters = mode == .sentinel ? Self.sentinelMasters(info) : []
    sentinelMasters = Array(masters.prefix(Self.sentinelMastersLimit))
    omittedMasterCount = masters.count - sentinelMasters.count
  }

  /// Of how many masters a Sentinel is asked at most: each costs three commands in a poll.
  static let sentinelMastersLimit = 2048

  /// `master0:name=mymaster,status=ok,address=…` lines.
  private static func sentinelMasters(_ info: InfoText) -> [String] {
    info.fields(inSection: InfoSection.sentinel).compactMap { field -> String? in
      guard isNumbered(info.name(of: field), prefix: "master") else { return nil }
      return InfoPairs(info.value(of: field)).first { $0.key.elementsEqual("name".utf8) }
        .map { String(foreign: $0.value) }
    }
  }
}

/// A dotted version; missing or odd parts count as 0.
public struct Version: Sendable, Hashable, Comparable, CustomStringConvertible {
  public let major: Int
  public let minor: Int
  public let patch: Int

  public init(_ major: Int, _ minor: Int = 0, _ patch: Int = 0) {
    (self.major, self.minor, self.patch) = (major, minor, patch)
  }

  public init(_ text: String) {
    let parts = text.split(separator: ".", maxSplits: 2).map { part in
      parseInteger(Array(part.utf8.prefix { $0 &- UInt8(ascii: "0") <= 9 })[...]) ?? 0
    }
    self.init(
      parts.first ?? 0, parts.count > 1 ? parts[1] : 0, parts.count > 2 ? parts[2] : 0)
  }

  public static func < (left: Version, right: Version) -> Bool {
    (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
  }

  public var description: String { "\(major).\(minor).\(patch)" }
}
