import Glibc

/// A value guarded by a mutex. The critical section must be short and must not suspend.
///
/// A closure belongs into a structure: bare, it is wrapped once more by each look at it, and its calls go ever deeper.
///
/// It exists because `Mutex` of Synchronization reports races under the thread sanitizer on Linux that are not there.
@safe public final class Lock<Value>: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private var value: Value

  public init(_ value: Value) {
    self.value = value
    unsafe mutex = .allocate(capacity: 1)
    unsafe mutex.initialize(to: pthread_mutex_t())
    let status = unsafe pthread_mutex_init(mutex, nil)
    precondition(status == 0, "pthread_mutex_init: \(status)")
  }

  deinit {
    unsafe pthread_mutex_destroy(mutex)
    unsafe mutex.deallocate()
  }

  @inlinable
  public func withLock<Result, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    acquire()
    defer { release() }
    return try bodyWithValue(body)
  }

  @usableFromInline func acquire() { unsafe pthread_mutex_lock(mutex) }
  @usableFromInline func release() { unsafe pthread_mutex_unlock(mutex) }
  @usableFromInline func bodyWithValue<Result, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(&value)
  }
}
