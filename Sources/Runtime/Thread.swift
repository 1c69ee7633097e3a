import Glibc

/// What a thread does, and what it is called.
private final class ThreadBody {
  let name: String
  let run: @Sendable () -> Void

  init(name: String, run: @escaping @Sendable () -> Void) {
    self.name = name
    self.run = run
  }
}

/// Starts a thread that ends with `body`.
///
/// - Parameter name: at most 15 bytes, as `top -H` shows it.
/// - Returns: false where the system has no room for another.
public func startThread(named name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
  let context = unsafe Unmanaged.passRetained(ThreadBody(name: name, run: body))
  var thread = pthread_t()
  let status = unsafe pthread_create(
    &thread, nil,
    { context in
      let body = unsafe Unmanaged<ThreadBody>.fromOpaque(context!).takeRetainedValue()
      nameThread(body.name)
      body.run()
      return nil
    }, unsafe context.toOpaque())
  guard status == 0 else {
    unsafe context.release()
    return false
  }
  pthread_detach(thread)
  return true
}

/// Names the calling thread; where /proc is missing it keeps the name of the process.
private func nameThread(_ name: String) {
  let descriptor = unsafe open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return }
  _ = unsafe write(descriptor, name, name.utf8.count)
  close(descriptor)
}

/// Counts what is to be done; one thread waits for it.
@safe public final class Semaphore: @unchecked Sendable {
  private let semaphore: UnsafeMutablePointer<sem_t>

  public init() {
    unsafe semaphore = .allocate(capacity: 1)
    let status = unsafe sem_init(semaphore, 0, 0)
    precondition(status == 0, "sem_init: errno \(errno)")
  }

  deinit {
    unsafe sem_destroy(semaphore)
    unsafe semaphore.deallocate()
  }

  public func signal() { unsafe sem_post(semaphore) }

  public func wait() { while unsafe sem_wait(semaphore) != 0 {} }
}
