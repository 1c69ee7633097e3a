import Glibc
import Runtime
import TestSupport
import Testing

@testable import Storage

/// A directory of one test, with what the store said; removed at the end.
final class Scratch: Sendable {
  private let folder = TemporaryFolder()
  let notices = Lock<[StoreNotice]>([])
  let now = Lock(WallTime(seconds: 1_800_000_000))

  var directory: String { folder.path }
  var path: String { directory + "/redline.db" }

  /// The names in the directory, sorted.
  var names: [String] {
    guard let handle = unsafe opendir(directory) else { return [] }
    defer { unsafe closedir(handle) }
    var names: [String] = []
    while let entry = unsafe readdir(handle) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  var namesSetAside: [String] { names.filter { $0.contains(".corrupt-") } }

  func open(_ options: StoreOptions = .quick, schema: Schema = .current) async throws(StoreError) -> Store {
    try await Store.open(
      path, options: options, schema: schema, clock: { self.now.withLock { $0 } },
      notice: { notice in self.notices.withLock { $0.append(notice) } })
  }

  func bytes(_ path: String) -> [UInt8]? { SmallFile.bytes(path, limit: 1 << 26) }

  func write(_ bytes: [UInt8], to path: String, at offset: Int = 0) {
    let descriptor = unsafe Glibc.open(path, O_WRONLY | O_CREAT, 0o644)
    defer { close(descriptor) }
    let count = unsafe pwrite(descriptor, bytes, bytes.count, off_t(offset))
    #expect(count == bytes.count)
  }

  func truncate(_ path: String, bytes: Int) { #expect(unsafe Glibc.truncate(path, off_t(bytes)) == 0) }
  func rename(_ path: String, to target: String) { #expect(unsafe Glibc.rename(path, target) == 0) }
  func makeDirectory(_ path: String) { #expect(unsafe mkdir(path, 0o755) == 0) }
  func removeDirectory(_ path: String) { _ = unsafe rmdir(path) }
  func remove(_ path: String) { _ = unsafe unlink(path) }

  /// The permission bits of a file.
  func mode(_ path: String) -> UInt32? {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? status.st_mode & 0o777 : nil
  }
}

extension StoreOptions {
  /// Retries soon, so that tests need not wait.
  static var quick: StoreOptions {
    var options = StoreOptions()
    options.retryMs = 10
    options.retryMaxMs = 20
    options.busyTimeoutMs = 10
    return options
  }
}

extension Event {
  static func sample(
    _ summary: String, at time: WallTime = 1_799_999_000, workload: String = "sessions",
    kind: EventKind = .failover, key: String? = nil
  ) -> Event {
    Event(at: time, workload: workload, node: "n1", kind: kind, summary: summary, key: key)
  }
}

/// Waits up to 10 s for something that happens by itself.
func eventually(_ condition: () async -> Bool) async -> Bool {
  for _ in 0..<1000 {
    if await condition() { return true }
    try? await Task.sleep(for: .milliseconds(10))
  }
  return false
}

let failovers = CounterKey("failovers", ["workload": "sessions", "cause": "automatic"])
