import CMicrohttpd
import Dispatch
import Glibc
import TestSupport

/// A blocking TCP client on the loopback address, byte by byte under the test's control.
final class TestClient {
  private let descriptor: Int32
  private var received: [UInt8] = []

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// One answer, its body whole.
  struct Answer {
    var status: Int
    var headers: [(name: String, value: String)]
    var body: [UInt8]

    func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
    var text: String { String(decoding: body, as: UTF8.self) }
  }

  /// - Parameter receiveBufferBytes: a small one makes the server wait for a slow reader soon.
  init(port: Int, receiveBufferBytes: Int32? = nil) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Failure(description: "socket: errno \(errno)") }
    if var size = receiveBufferBytes {
      _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(4))
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let status = unsafe withUnsafePointer(to: &address) { address in
      unsafe connect(
        descriptor, UnsafeRawPointer(address).assumingMemoryBound(to: sockaddr.self),
        socklen_t(MemoryLayout<sockaddr_in>.size))
    }
    guard status == 0 else { throw Failure(description: "connect: errno \(errno)") }
  }

  deinit { close(descriptor) }

  func send(_ text: String) { send(Array(text.utf8)) }

  /// Errors are not reported: a test that writes to a closed connection looks at what it reads.
  func send(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { bytes in
        unsafe Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  /// Some bytes, empty when the peer has closed, nil when nothing came in time.
  func receive(limit: Int = 65536, timeoutSeconds: Double = 10) -> [UInt8]? {
    var timeout = timeval(tv_sec: Int(timeoutSeconds), tv_usec: Int(timeoutSeconds * 1e6) % 1_000_000)
    _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    var buffer = [UInt8](repeating: 0, count: limit)
    let count = unsafe recv(descriptor, &buffer, limit, 0)
    if count < 0 { return errno == EAGAIN ? nil : [] }
    return Array(buffer[..<count])
  }

  /// Reads on until the peer closes. False when it has not within the time.
  func isClosed(withinSeconds seconds: Double) -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while .now < deadline {
      if let bytes = receive(timeoutSeconds: 0.05), bytes.isEmpty { return true }
    }
    return false
  }

  /// Reads one answer. - Parameter hasBody: false for an answer to HEAD.
  func answer(hasBody: Bool = true, timeoutSeconds: Double = 10) throws -> Answer {
    let separator: [UInt8] = [13, 10, 13, 10]
    while received.firstRange(of: separator) == nil { try fill(timeoutSeconds) }
    let end = received.firstRange(of: separator)!
    let lines = String(decoding: received[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
    received.removeSubrange(..<end.upperBound)
    let headers = lines.dropFirst().map { line in
      let colon = line.firstIndex(of: ":")!
      return (name: String(line[..<colon]), value: String(line[line.index(after: colon)...].drop { $0 == " " }))
    }
    var answer = Answer(status: Int(lines[0].split(separator: " ")[1]) ?? 0, headers: headers, body: [])
    guard hasBody, let length = answer.header("Content-Length").flatMap({ Int($0) }) else { return answer }
    while received.count < length { try fill(timeoutSeconds) }
    answer.body = Array(received[..<length])
    received.removeFirst(length)
    return answer
  }

  func get(_ path: String, method: String = "GET", headers: [String] = []) throws -> Answer {
    send("\(method) \(path) HTTP/1.1\r\nHost: test\r\n" + headers.map { $0 + "\r\n" }.joined() + "\r\n")
    return try answer(hasBody: method != "HEAD")
  }

  private func fill(_ timeoutSeconds: Double) throws {
    guard let bytes = receive(timeoutSeconds: timeoutSeconds) else { throw Failure(description: "no answer in time") }
    guard !bytes.isEmpty else { throw Failure(description: "closed after \(received.count) bytes") }
    received += bytes
  }
}

/// Runs a command line of the shell and gives its output, errors included.
func shell(_ command: String) -> (status: Int32, output: String) {
  guard let stream = unsafe popen("( \(command) ) 2>&1", "r") else { return (-1, "") }
  var output: [UInt8] = []
  while case let byte = unsafe getc(stream), byte != EOF { output.append(UInt8(byte)) }
  return (unsafe pclose(stream) >> 8, String(decoding: output, as: UTF8.self))
}

/// A folder that a test has for itself.
final class Folder: Sendable {
  private let folder = TemporaryFolder()
  var path: String { folder.path }

  func write(_ name: String, _ text: String) {
    let descriptor = unsafe open(path + "/" + name, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    _ = unsafe text.utf8CString.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count - 1) }
    close(descriptor)
  }
}

/// What zlib and everyone else reads: inflates a gzip body with the system's own tool.
func gunzip(_ bytes: [UInt8]) -> [UInt8] {
  let folder = Folder()
  let descriptor = unsafe open(folder.path + "/body.gz", O_WRONLY | O_CREAT, 0o600)
  _ = unsafe write(descriptor, bytes, bytes.count)
  close(descriptor)
  return Array(shell("gzip -dc '\(folder.path)/body.gz'").output.utf8)
}

/// A thread for tests whose clients block: the pools of the server under test stay free.
final class TestExecutor: TaskExecutor {
  static let shared = TestExecutor()
  private let queue = DispatchQueue(label: "tests")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
