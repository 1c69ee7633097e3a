import Glibc

/// How many files and sockets the process may have open (RLIMIT_NOFILE).
public enum DescriptorLimit {
  /// Raises the soft limit to the hard limit.
  ///
  /// - Returns: the limit that holds from now on; `Int.max` for none.
  public static func raise() -> Int {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
    let soft = limit.rlim_cur
    limit.rlim_cur = limit.rlim_max
    if unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) != 0 { limit.rlim_cur = soft }
    return Int(clamping: limit.rlim_cur)
  }
}
