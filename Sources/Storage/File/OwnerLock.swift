import Glibc
import Runtime

/// The lock that lets one process at a time own a store: `flock` on `NAME.lock`, which the kernel releases however the
/// process ends. The file stays, so that nobody locks a removed one.
final class OwnerLock {
  private let descriptor: CInt

  /// Takes the lock.
  init(storePath: String) throws(StoreFailure) {
    let path = storePath + ".lock"
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw .unavailable("\(path): \(systemError(errno))") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      close(descriptor)
      guard code == EWOULDBLOCK else { throw .unavailable("\(path): \(systemError(code))") }
      let owner = SmallFile.text(path, limit: 16).flatMap { text in Int32(text.prefix { $0.isNumber }) }
      throw .refused(.inUse(path: storePath, processID: owner))
    }
    // For the message of the next process; a full disk that refuses it does no harm.
    let text = Array("\(getpid())\n".utf8)
    if ftruncate(descriptor, 0) == 0 { _ = unsafe pwrite(descriptor, text, text.count, 0) }
  }

  deinit {
    // Closing alone would leave the lock with a child that is between fork and exec.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }
}
