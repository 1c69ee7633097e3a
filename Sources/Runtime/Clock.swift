import Glibc

/// The wall clock: seconds since the epoch, with the resolution of the system's clock.
public func wallClockSeconds() -> Double {
  var time = timespec()
  unsafe clock_gettime(CLOCK_REALTIME, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
