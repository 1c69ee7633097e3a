import Glibc

/// The wall clock: seconds since the epoch, with the resolution of the system's clock.
public func wallClockSeconds() -> Double {
  var time = timespec()
  unsafe clock_gettime(CLOCK_REALTIME, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// What the calling thread has computed so far, in seconds.
public func threadSeconds() -> Double {
  var time = timespec()
  unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Seconds since the system was started, those it slept among them; it never jumps, and restarts with each boot.
public func bootClockSeconds() -> Double {
  var time = timespec()
  unsafe clock_gettime(CLOCK_BOOTTIME, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// The wall clock in whole milliseconds since the epoch.
public func wallClockMilliseconds() -> Int64 { Int64(clamping: wallClockSeconds() * 1000) }

/// ``bootClockSeconds()`` in whole milliseconds.
public func bootClockMilliseconds() -> Int64 { Int64(clamping: bootClockSeconds() * 1000) }

/// What tells this boot of the system from others; nil where the kernel does not say.
public func bootIdentity() -> String? {
  guard let bytes = SmallFile.bytes("/proc/sys/kernel/random/boot_id") else { return nil }
  return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
}

/// Holds the thread up for that long. Not for tasks: they sleep without one.
public func pause(_ duration: Duration) {
  let (seconds, attoseconds) = duration.components
  var wanted = timespec(tv_sec: Int(clamping: seconds), tv_nsec: Int(clamping: attoseconds / 1_000_000_000))
  var rest = timespec()
  while unsafe nanosleep(&wanted, &rest) != 0, errno == EINTR { wanted = rest }
}
