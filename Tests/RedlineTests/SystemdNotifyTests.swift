import Glibc
import Runtime
import Testing

@testable import redline

@Suite(.timeLimit(.minutes(1))) struct SystemdNotifyTests {
  /// The socket that systemd would listen on, under an abstract name or in the file system.
  private final class Listener: Sendable {
    let name: String
    private let descriptor: Int32

    init(isAbstract: Bool, named own: String) throws {
      let path = "/tmp/redline-notify-\(getpid())-\(own)"
      name = isAbstract ? "@" + path.dropFirst() : path
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      let bytes = isAbstract ? [0] + Array(path.dropFirst().utf8) : Array(path.utf8)
      unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
      let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
      let length = socklen_t((MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2) + bytes.count)
      unsafe unlink(path)
      let status = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(descriptor, $0, length) }
      }
      try #require(status == 0, "bind: \(errno)")
      self.descriptor = descriptor
    }

    deinit {
      close(descriptor)
      if !name.hasPrefix("@") { unsafe unlink(name) }
    }

    /// The next message, within a few seconds.
    func next() async throws -> String {
      var buffer = [UInt8](repeating: 0, count: 4096)
      for _ in 0..<500 {
        let count = unsafe recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count >= 0 { return String(decoding: buffer.prefix(count), as: UTF8.self) }
        try await Task.sleep(for: .milliseconds(10))
      }
      Issue.record("no message within five seconds")
      return ""
    }

    var isEmpty: Bool {
      var byte: UInt8 = 0
      return unsafe recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT | MSG_PEEK)) < 0
    }
  }

  @Test(arguments: [false, true]) func eachStateIsTold(isAbstract: Bool) async throws {
    let listener = try Listener(isAbstract: isAbstract, named: "states-\(isAbstract)")
    let notify = SystemdNotify(environment: ["NOTIFY_SOCKET": listener.name])
    await notify.ready(status: "watches 3 workloads")
    #expect(try await listener.next() == "READY=1\nSTATUS=watches 3 workloads")
    await notify.reloading()
    let reloading = try await listener.next().split(separator: "\n")
    #expect(reloading.first == "RELOADING=1" && reloading.last == "STATUS=reloading")
    let time = try #require(reloading.dropFirst().first?.split(separator: "=").last.flatMap { Int64($0) })
    #expect(time > 0, "since the machine started, in microseconds")
    await notify.stopping()
    #expect(try await listener.next() == "STOPPING=1\nSTATUS=stopping")
  }

  /// A line break in a status, such as one from an error's text, would be another assignment: READY=1 among them.
  @Test func aStatusIsOneLine() async throws {
    let listener = try Listener(isAbstract: true, named: "line")
    await SystemdNotify(environment: ["NOTIFY_SOCKET": listener.name]).ready(status: "bad\nMAINPID=1\r\tfile")
    #expect(try await listener.next() == "READY=1\nSTATUS=bad\u{FFFD}MAINPID=1\u{FFFD}\u{FFFD}file")
  }

  @Test(arguments: ["", "relative", "@", "/tmp/redline-nobody-listens", "/" + String(repeating: "x", count: 200)])
  func whereNobodyListensNothingHappens(socket: String) async {
    let notify = SystemdNotify(environment: ["NOTIFY_SOCKET": socket])
    let began = ContinuousClock.now
    await notify.ready(status: "ready")
    await notify.stopping()
    #expect(ContinuousClock.now - began < .milliseconds(500), "it does not wait for a listener")
  }

  @Test func theWatchdogIsForOneProcess() {
    func watchdog(_ environment: [String: String]) -> Duration? { SystemdNotify(environment: environment).watchdog }
    #expect(watchdog([:]) == nil)
    #expect(watchdog(["WATCHDOG_USEC": "30000000"]) == .seconds(30))
    #expect(watchdog(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "\(getpid())"]) == .seconds(30))
    #expect(watchdog(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "\(getpid() + 1)"]) == nil)
    for bad in ["0", "-1", "", "soon", "99999999999999999999"] { #expect(watchdog(["WATCHDOG_USEC": bad]) == nil) }
  }

  @Test func signsOfLifeComeTwiceAPeriodUntilTheEnd() async throws {
    let listener = try Listener(isAbstract: true, named: "beat")
    let notify = SystemdNotify(environment: ["NOTIFY_SOCKET": listener.name, "WATCHDOG_USEC": "100000"])
    let beating = Task { await notify.beat { true } }
    for _ in 0..<4 { #expect(try await listener.next() == "WATCHDOG=1") }
    beating.cancel()
    await beating.value
    while !listener.isEmpty { _ = try await listener.next() }
    try await Task.sleep(for: .milliseconds(150))
    #expect(listener.isEmpty, "none after the end")
  }

  @Test func whatStandsStillGivesNoSignOfLife() async throws {
    let listener = try Listener(isAbstract: true, named: "still")
    let notify = SystemdNotify(environment: ["NOTIFY_SOCKET": listener.name, "WATCHDOG_USEC": "20000"])
    let isAsked = Lock(0)
    let beating = Task {
      await notify.beat {
        isAsked.withLock { $0 += 1 }
        return false
      }
    }
    while isAsked.withLock({ $0 }) < 3 { try await Task.sleep(for: .milliseconds(5)) }
    beating.cancel()
    await beating.value
    #expect(listener.isEmpty)
  }

  @Test func withoutAWatchdogThereIsNoBeat() async throws {
    let listener = try Listener(isAbstract: true, named: "none")
    await SystemdNotify(environment: ["NOTIFY_SOCKET": listener.name]).beat { true }
    await SystemdNotify(environment: ["WATCHDOG_USEC": "100000"]).beat { true }
    #expect(listener.isEmpty)
  }
}
