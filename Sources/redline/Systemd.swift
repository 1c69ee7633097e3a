import Glibc
import Runtime
import Web

/// Tells systemd how the daemon stands (sd_notify(3)); does nothing where nobody asked to be told.
struct SystemdNotify: Sendable {
  /// As sockaddr_un takes it: an abstract name begins with a zero. Nil where nobody listens.
  private let path: [UInt8]?
  /// How long systemd waits for the next sign of life; nil where it expects none.
  let watchdog: Duration?

  /// How often a message that found the receiver's queue full is tried again, and how long after.
  private static let tryLimit = 20
  private static let tryPause: Duration = .milliseconds(50)

  init(environment: [String: String]) {
    let name = Array((environment["NOTIFY_SOCKET"] ?? "").utf8)
    switch name.first {
    case UInt8(ascii: "/")?: path = name
    case UInt8(ascii: "@")?: path = [0] + name.dropFirst()
    default: path = nil
    }
    // Meant for another process when it was inherited.
    let isForUs = environment["WATCHDOG_PID"].map { $0 == String(getpid()) } ?? true
    watchdog = environment["WATCHDOG_USEC"].flatMap { Int64($0) }
      .flatMap { $0 > 0 && isForUs ? Duration.microseconds($0) : nil }
  }

  /// - Parameter status: what `systemctl status` shows.
  func ready(status: String) async { await send("READY=1\nSTATUS=\(oneLine(status))") }

  func reloading() async {
    var now = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &now)
    await send("RELOADING=1\nMONOTONIC_USEC=\(now.tv_sec * 1_000_000 + now.tv_nsec / 1000)\nSTATUS=reloading")
  }

  func stopping() async { await send("STOPPING=1\nSTATUS=stopping") }

  /// Gives a sign of life twice in each period of the watchdog until the task is cancelled, while `isAlive` says that a
  /// restart would mend nothing.
  func beat(while isAlive: @Sendable () -> Bool) async {
    guard path != nil, let watchdog else { return }
    while !Task.isCancelled {
      if isAlive() { await send("WATCHDOG=1") }
      try? await Task.sleep(for: watchdog / 2)
    }
  }

  // MARK: The socket

  private func send(_ text: String) async {
    guard let path else { return }
    for _ in 0..<Self.tryLimit {
      let error = Self.send(Array(text.utf8), to: path)
      guard error == EAGAIN || error == ENOBUFS else { return }
      try? await Task.sleep(for: Self.tryPause)
    }
  }

  /// - Returns: 0, or the error's number.
  private static func send(_ message: [UInt8], to path: [UInt8]) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
    guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return ENAMETOOLONG }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return errno }
    defer { close(descriptor) }
    // The length tells where an abstract name ends.
    let length = socklen_t(start + path.count)
    let sent = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        unsafe sendto(
          descriptor, message, message.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT), generic, length)
      }
    }
    return sent < 0 ? errno : 0
  }
}

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
