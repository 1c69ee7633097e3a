import Redis
import Runtime

extension InfoText {
  /// Age of the newest dump by the server's own clock; nil where none was written or read since its start.
  public func dumpAgeSeconds(now: WallTime) -> Double? {
    PersistenceFacts(self, appendFsync: nil, save: nil).dumpAgeSeconds(nowSeconds: now.seconds)
  }

  /// Calls of each command since the start or CONFIG RESETSTAT, by its lower-case name: `config|get`.
  public var commandCalls: [String: Double] {
    var calls: [String: Double] = [:]
    for field in fields(inSection: InfoSection.commandStats) {
      guard let command = CommandUsage.command(of: name(of: field)) else { continue }
      calls[String(foreign: command).lowercased()] = CommandUsage(value(of: field)).calls
    }
    return calls
  }
}
