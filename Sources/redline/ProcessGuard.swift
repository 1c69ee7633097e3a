import Glibc

/// What the process makes sure of before its first byte is written.
enum ProcessGuard {
  static func start() {
    // A reader that went away is an error of write(2), not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    openStandardStreams()
    forbidDumps()
  }

  /// A stream that was closed is /dev/null: else the first socket or database would take its number, and with it the log.
  private static func openStandardStreams() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      _ = unsafe open("/dev/null", O_RDWR)
    }
  }

  /// A dump of the memory would hold every password. A limit of 1 also keeps the kernel from calling a program that takes
  /// dumps, which 0 leaves to that program; where 1 is above the hard limit, 0 has to do.
  private static func forbidDumps() {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0 else { return }
    let bytes = min(1, limit.rlim_max)
    limit = rlimit(rlim_cur: bytes, rlim_max: bytes)
    unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
  }
}
