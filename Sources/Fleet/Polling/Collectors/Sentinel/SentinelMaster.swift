import Metrics
import Redis

/// A master as SENTINEL MASTERS describes it.
struct SentinelMaster {
  let name: ArraySlice<UInt8>
  let ip: ArraySlice<UInt8>
  let port: ArraySlice<UInt8>
  let details: Reply

  static let labelNames = ["master_name", "master_address"]

  /// - Returns: nil where name or address are missing.
  init?(_ details: Reply) {
    guard let name = details.field("name")?.bytes, let ip = details.field("ip")?.bytes,
      let port = details.field("port")?.bytes
    else { return nil }
    self.name = name
    self.ip = ip
    self.port = port
    self.details = details
  }

  /// Name and `ip:port`.
  var labels: [LabelValue] {
    [LabelValue(name), LabelValue(Array(ip + [UInt8(ascii: ":")] + port)[...])]
  }
}

/// Whether a replica or Sentinel is thought alive, by its flags: neither this Sentinel alone nor several find it down.
func isAlive(_ peer: Reply) -> Bool {
  guard let flags = peer.field("flags")?.bytes else { return false }
  return !flags.split(separator: UInt8(ascii: ",")).contains {
    $0.elementsEqual("s_down".utf8) || $0.elementsEqual("o_down".utf8)
  }
}
