import Glibc
import Web

/// The listening socket that systemd hands over (sd_listen_fds(3)).
enum SystemdSocket {
  private static let firstDescriptor: Int32 = 3

  /// - Throws: ``WebError`` when there is not exactly one.
  static func listener() throws(WebError) -> Int32 {
    guard environment("LISTEN_PID") == String(getpid()), let count = environment("LISTEN_FDS") else {
      throw WebError(
        "flag -web.systemd-socket: systemd handed over no socket; start redline by a .socket unit, or leave the flag out"
      )
    }
    guard count == "1" else {
      throw WebError(
        "flag -web.systemd-socket: systemd handed over \(count) sockets; the .socket unit must have one ListenStream=")
    }
    return firstDescriptor
  }

  private static func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }
}
