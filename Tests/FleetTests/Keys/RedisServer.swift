import Glibc
import NIOCore
import NIOPosix
import Redis
import Synchronization

@testable import Fleet

/// A redis-server of a test's own, in a folder of its own, that ends with it.
final class RedisServer: Sendable {
  /// `REDLINE_REDIS_SERVER`, the one unpacked under `.build/tools`, or one in `PATH`; nil where there is none.
  static let program: String? = {
    let root = #filePath.split(separator: "/").dropLast(4).map { "/" + $0 }.joined()
    let folders = (environment("PATH") ?? "").split(separator: ":").map { "\($0)/redis-server" }
    let candidates = [environment("REDLINE_REDIS_SERVER"), "\(root)/.build/tools/bin/redis-server"] + folders
    return candidates.compactMap { $0 }.first { unsafe access($0, X_OK) == 0 }
  }()

  let address: RedisAddress
  private let pid: pid_t
  private let folder: String
  private let isStopped = Atomic(false)

  /// Starts a server on a unix socket, or on a free loopback port when `arguments` are those of a cluster node.
  init(isCluster: Bool = false, _ arguments: [String] = []) async throws {
    var template = Array("/tmp/redline-test-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw ServerError(what: "mkdtemp") }
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    var all = ["--dir", folder, "--save", "", "--appendonly", "no", "--logfile", "\(folder)/log"]
    if isCluster {
      let ports = try await Self.freePorts(2)
      address = RedisAddress(endpoint: .tcp(host: "127.0.0.1", port: ports[0]))
      all += [
        "--bind", "127.0.0.1", "--port", "\(ports[0])", "--cluster-port", "\(ports[1])", "--cluster-enabled", "yes",
      ]
    } else {
      address = RedisAddress(endpoint: .unix(path: "\(folder)/socket"))
      all += ["--port", "0", "--unixsocket", "\(folder)/socket"]
    }
    pid = try Self.spawn(Self.program!, all + arguments)
    try await waitUntilItAnswers()
  }

  deinit { stop() }

  func stop() {
    guard !isStopped.exchange(true, ordering: .relaxed) else { return }
    kill(pid, SIGKILL)
    waitpid(pid, nil, 0)
    unsafe unlink("\(folder)/socket")
    unsafe unlink("\(folder)/log")
    unsafe unlink("\(folder)/nodes.conf")
    unsafe rmdir(folder)
  }

  /// The server stops answering, its socket stays.
  func freeze() { kill(pid, SIGSTOP) }

  /// The frozen server goes on.
  func thaw() { kill(pid, SIGCONT) }

  static let context = ConnectionContext(group: .singleton)

  /// Sends commands as the default user; an error reply is an error.
  @discardableResult
  func run(_ commands: [Command]) async throws -> Replies {
    let deadline = NIODeadline.now() + .seconds(20)
    let connection = try await Connection.open(
      ConnectionOptions(address: address), in: Self.context, deadline: deadline)
    defer { connection.close() }
    let exchange = await connection.send(CommandBatch(commands), deadline: deadline)
    if let failure = exchange.failure { throw failure }
    for index in 0..<exchange.replies.count where exchange.replies[index].isError {
      throw RedisError(reply: exchange.replies[index], to: commands[index])
    }
    return exchange.replies
  }

  /// Runs lines of words, as redis-cli would.
  @discardableResult
  func run(_ lines: String) async throws -> Replies {
    try await run(lines.split(separator: "\n").map { Command($0.split(separator: " ").map(String.init)) })
  }

  func info(_ field: String) async throws -> Int {
    InfoText(try await run([["INFO", "ALL"]])[0].bytes ?? []).integer(field) ?? -1
  }

  private func waitUntilItAnswers() async throws {
    for _ in 0..<500 {
      if (try? await run([["PING"]])) != nil { return }
      try await Task.sleep(for: .milliseconds(20))
    }
    throw ServerError(what: "redis-server does not answer")
  }

  private static func freePorts(_ count: Int) async throws -> [Int] {
    var channels: [any Channel] = []
    for _ in 0..<count {
      channels.append(try await ServerBootstrap(group: context.group).bind(host: "127.0.0.1", port: 0).get())
    }
    let ports = channels.compactMap { $0.localAddress?.port }
    for channel in channels { try await channel.close() }
    return ports
  }

  private static func spawn(_ program: String, _ arguments: [String]) throws -> pid_t {
    var pid = pid_t()
    let words = unsafe ([program] + arguments).map { unsafe strdup($0) } + [nil]
    let environment = unsafe [strdup("PATH=/usr/bin:/bin"), nil]
    defer { for index in unsafe words.indices { unsafe free(words[index]) } }
    defer { for index in unsafe environment.indices { unsafe free(environment[index]) } }
    // A server that inherits a connection of a test beside it would keep that one open.
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    for descriptor in Int32(3)..<1024 { unsafe posix_spawn_file_actions_addclose(&actions, descriptor) }
    let status = unsafe posix_spawn(&pid, program, &actions, nil, words, environment)
    guard status == 0 else { throw ServerError(what: "posix_spawn \(status)") }
    return pid
  }

  private static func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }
}

struct ServerError: Error { let what: String }
