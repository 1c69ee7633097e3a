import Glibc

/// A moment of a clock. Moments of two clocks have two types, so that nobody takes one from the other.
public protocol Moment: Sendable, Hashable, Comparable {
  /// Since the clock's beginning.
  var seconds: Double { get }
  init(seconds: Double)
}

extension Moment {
  /// The seconds between two moments.
  public static func - (left: Self, right: Self) -> Double { left.seconds - right.seconds }
  public static func + (moment: Self, seconds: Double) -> Self { Self(seconds: moment.seconds + seconds) }
  public static func - (moment: Self, seconds: Double) -> Self { Self(seconds: moment.seconds - seconds) }
  public static func < (left: Self, right: Self) -> Bool { left.seconds < right.seconds }

  public static var distantPast: Self { Self(seconds: -.infinity) }
  public static var distantFuture: Self { Self(seconds: .infinity) }
}

/// By a clock that only goes forward, from an arbitrary beginning: what durations are measured with.
public struct Monotonic: Moment {
  public let seconds: Double

  public init(seconds: Double) { self.seconds = seconds }

  public static var now: Monotonic {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Monotonic(seconds: Double(time.tv_sec) + Double(time.tv_nsec) / 1e9)
  }
}

/// By the wall clock, in seconds since the epoch: what is shown and kept. It jumps when somebody sets it.
public struct WallTime: Moment {
  public let seconds: Double

  public init(seconds: Double) { self.seconds = seconds }
  public init(epochMs: Int64) { seconds = Double(epochMs) / 1000 }

  public static var now: WallTime {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return WallTime(seconds: Double(time.tv_sec) + Double(time.tv_nsec) / 1e9)
  }

  /// To the nearest millisecond, so that ``init(epochMs:)`` and back changes nothing.
  public var epochMs: Int64 { Int64(clamping: (seconds * 1000).rounded()) }
  /// As exact as it is in the store, so that a restart does not move it.
  public var toMilliseconds: WallTime { WallTime(epochMs: epochMs) }
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
