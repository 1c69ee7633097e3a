import NIOCore
import Redis
import Runtime

/// A server that loads a backup and answers on a socket in a private folder alone: with no port, no disk of its own and no
/// more memory than there is, as `nobody` where this process is root.
struct ScratchServer: Sendable {
  let binary: ServerBinary
  let folder: PrivateFolder
  let context: ConnectionContext
  /// What it may take, in bytes; nil where the system does not tell what there is.
  let memoryBytes: Int?

  /// Processor seconds for each second that a load may take.
  private static let processorShare = 4
  /// Addresses that threads and the allocator reserve and do not use.
  private static let reservedBytes = 1 << 30
  static let rdbName = "dump.rdb"
  static let aofFolder = "appendonlydir"

  enum Answer: Sendable {
    /// From the start of the program to its first answer.
    case loaded(seconds: Double, BackupContents)
    case tooSlow(seconds: Double)
    case failed(BackupTrouble)
  }

  /// Has it load what is in the folder.
  ///
  /// As a replica of a port where nobody listens, it keeps keys that have expired since: a master would drop them, and what
  /// the file holds could not be counted.
  func load(_ form: StagedBackup.Form, limit: Duration) async throws -> Answer {
    let seconds = limit / .seconds(1)
    let socket = "\(folder.path)/redis.sock"
    var words = [
      binary.path, "--port", "0", "--unixsocket", socket, "--unixsocketperm", "700", "--dir", folder.path,
      "--save", "", "--maxmemory", "0", "--daemonize", "no", "--databases", "4096", "--replicaof", "127.0.0.1", "1",
    ]
    switch form {
    case .rdb: words += ["--dbfilename", Self.rdbName, "--appendonly", "no"]
    case .aof(let manifest):
      words += [
        "--appendonly", "yes", "--aof-load-truncated", "no", "--appendfilename", manifest.name, "--appenddirname",
        Self.aofFolder, "--auto-aof-rewrite-percentage", "0",
      ]
    }
    var command = ChildCommand(words, timeLimit: limit + .seconds(120))
    (command.folder, command.isUnprivileged, command.inheritsEnvironment) = (folder.path, true, false)
    command.cpuLimitSeconds = Self.processorShare * (Int(clamping: seconds) + 60)
    command.memoryLimitBytes = memoryBytes.map { $0 + Self.reservedBytes }
    let began = Monotonic.now
    let (answer, outcome) = try await command.run { child in await attend(child, socket, since: began, limit: seconds) }
    if let answer { return answer }
    if let trouble = BackupTrouble(unstarted: outcome, binary.path) { return .failed(trouble) }
    return .failed(BackupTrouble(output: outcome.output, server: binary, fallback: .loadFailed))
  }

  /// - Returns: nil where the server ended by itself.
  private func attend(
    _ child: RunningChild, _ socket: String, since began: Monotonic, limit: Double
  ) async -> Answer? {
    var options = ConnectionOptions(address: RedisAddress(endpoint: .unix(path: socket), usesTLS: false))
    options.maximumAge = .hours(24)
    var connection: Connection?
    defer { connection?.close() }
    while child.ended == nil {
      if Monotonic.now - began > limit { return .tooSlow(seconds: Monotonic.now - began) }
      if connection?.isActive != true {
        connection = try? await Connection.open(options, in: context, deadline: .now() + .seconds(5))
      }
      if let connection {
        let ping = await connection.send(CommandBatch([["PING"]]), deadline: .now() + .seconds(30))
        if ping.failure == nil, ping.replies[0].errorCode != "LOADING" {
          return await answer(connection, child, seconds: Monotonic.now - began)
        }
      }
      try? await Task.sleep(for: .milliseconds(20))
    }
    return nil
  }

  private func answer(_ connection: Connection, _ child: RunningChild, seconds: Double) async -> Answer {
    // Without a file that it takes for its own, a server starts well, with no key.
    guard child.output.contains("DB loaded from") else {
      return .failed(
        BackupTrouble(
          .notLoaded, "\(binary.title) starts well beside the file, and does not load it: a restore would be empty"))
    }
    do throws(RedisError) {
      return .loaded(seconds: seconds, try await BackupContents.read(connection))
    } catch {
      return .failed(BackupTrouble(.interrupted, "its keys cannot be counted: \(error)"))
    }
  }
}
