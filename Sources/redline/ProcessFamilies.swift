import Glibc
import Metrics
import Runtime

/// The daemon's own process, under the names that every Prometheus client library uses.
enum ProcessFamilies {
  static let cpuSeconds = Family.bare(
    "process_cpu_seconds_total", .counter, "User and system CPU time that this process has used.",
    unit: .seconds)
  static let maxFDs = Family.bare(
    "process_max_fds", .gauge, "Maximum number of file descriptors that this process may have open.")
  static let openFDs = Family.bare(
    "process_open_fds", .gauge, "Number of file descriptors that this process has open.")
  static let residentBytes = Family.bare(
    "process_resident_memory_bytes", .gauge, "Resident memory of this process, in bytes.", unit: .bytes)
  static let virtualBytes = Family.bare(
    "process_virtual_memory_bytes", .gauge, "Address space of this process, in bytes.", unit: .bytes)
  static let virtualMaxBytes = Family.bare(
    "process_virtual_memory_max_bytes", .gauge,
    "Limit on this process's address space, in bytes; -1 for none.", unit: .bytes)
  static let startTime = Family.bare(
    "process_start_time_seconds", .gauge, "Start time of this process, in seconds since the epoch.",
    unit: .seconds)
  static let receivedBytes = Family.bare(
    "process_network_receive_bytes_total", .counter,
    "Bytes that this process's network namespace received.", unit: .bytes)
  static let transmittedBytes = Family.bare(
    "process_network_transmit_bytes_total", .counter,
    "Bytes that this process's network namespace sent.", unit: .bytes)

  static let all = [
    cpuSeconds, maxFDs, openFDs, residentBytes, virtualBytes, virtualMaxBytes, startTime,
    receivedBytes, transmittedBytes,
  ]

  /// The process's figures, read at most once a second: reading them costs as much as a poll.
  static func samples() -> Samples {
    let now = ContinuousClock.now
    if let known = newest.withLock({ $0 }), now - known.read < .seconds(1) { return known.samples }
    var sink = SampleSink()
    collect(into: &sink)
    let samples = sink.finish()
    newest.withLock { $0 = (samples, now) }
    return samples
  }

  private static let newest = Lock<(samples: Samples, read: ContinuousClock.Instant)?>(nil)

  /// Reads /proc/self; a file that is missing leaves its series out.
  private static func collect(into sink: inout SampleSink) {
    if let text = SmallFile.text("/proc/self/stat") { collectStat(text, into: &sink) }
    if let count = SmallFile.entryCount(ofDirectory: "/proc/self/fd") {
      // One of them is the directory itself.
      sink.add(openFDs, Double(count - 1))
    }
    sink.add(maxFDs, Double(resourceLimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue))))
    let space = resourceLimit(__rlimit_resource_t(RLIMIT_AS.rawValue))
    sink.add(virtualMaxBytes, space == .max ? -1 : Double(space))
    if let text = SmallFile.text("/proc/self/net/netstat") { collectNetwork(text, into: &sink) }
  }

  /// Fields of proc(5) `stat`, counted from 1: 14 utime, 15 stime, 22 starttime, 23 vsize, 24 rss.
  private static func collectStat(_ text: String, into sink: inout SampleSink) {
    // The command name may hold anything, so fields are counted from its closing parenthesis.
    guard let close = text.lastIndex(of: ")") else { return }
    let fields = text[text.index(after: close)...].split(separator: " ")
    func field(_ number: Int) -> Double? {
      number - 3 < fields.count ? Double(fields[number - 3]) : nil
    }
    let ticks = Double(sysconf(CInt(_SC_CLK_TCK)))
    if let user = field(14), let system = field(15) { sink.add(cpuSeconds, (user + system) / ticks) }
    if let size = field(23) { sink.add(virtualBytes, size) }
    if let pages = field(24) { sink.add(residentBytes, pages * Double(sysconf(CInt(_SC_PAGESIZE)))) }
    if let start = field(22) { sink.add(startTime, bootSeconds + start / ticks) }
  }

  /// Two lines `IpExt:`, the first with names, the second with numbers.
  private static func collectNetwork(_ text: String, into sink: inout SampleSink) {
    let lines = text.split(separator: "\n").filter { $0.hasPrefix("IpExt:") }
    guard lines.count == 2 else { return }
    for (name, value) in zip(lines[0].split(separator: " "), lines[1].split(separator: " ")) {
      switch name {
      case "InOctets": Double(value).map { sink.add(receivedBytes, $0) }
      case "OutOctets": Double(value).map { sink.add(transmittedBytes, $0) }
      default: break
      }
    }
  }

  /// When the machine was started, in seconds since the epoch. A hardened unit has no /proc/stat to read it from.
  private static let bootSeconds: Double = {
    var sinceBoot = timespec()
    unsafe clock_gettime(CLOCK_BOOTTIME, &sinceBoot)
    return (WallTime.now.seconds - Double(sinceBoot.tv_sec) - Double(sinceBoot.tv_nsec) / 1e9).rounded()
  }()

  private static func resourceLimit(_ resource: __rlimit_resource_t) -> UInt {
    var limit = rlimit()
    guard unsafe getrlimit(resource, &limit) == 0 else { return 0 }
    return limit.rlim_cur
  }
}
