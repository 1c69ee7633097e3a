import Config
import NIOCore

/// Which addresses are of this machine.
enum LocalHost {
  /// - Parameter hosts: literal addresses; a name is none of this machine's but `localhost`.
  static func areAll(_ hosts: [String]) -> Bool {
    let own = Set(((try? System.enumerateDevices()) ?? []).compactMap { $0.address?.ipAddress })
    return !hosts.isEmpty
      && hosts.allSatisfy {
        $0 == "localhost" || IPAddress($0)?.scope == .loopback || own.contains($0) || $0.hasPrefix("/")
      }
  }
}
