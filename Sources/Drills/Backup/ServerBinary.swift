import Config
import Fleet
import Redis
import Runtime

/// The program that loads a backup.
public struct ServerBinary: Sendable, Equatable {
  public let path: String
  public let isValkey: Bool
  public let version: Version

  var title: String { "\(isValkey ? "valkey" : "redis")-server \(version)" }

  /// Finds it and asks it for its version.
  ///
  /// - Parameters:
  ///   - given: `backup.server_binary`; nil looks for it along `PATH`.
  ///   - isValkey: which product wrote the file.
  /// - Throws: ``BackupTrouble`` of the kind `binary`.
  static func find(_ given: String?, isValkey: Bool) async throws -> ServerBinary {
    let name = isValkey ? "valkey-server" : "redis-server"
    let place = try await ChildCommand(
      ["sh", "-c", "command -v -- \"$1\"", "sh", given ?? name], timeLimit: .seconds(10)
    ).run()
    let path = String(place.output.prefix { $0 != "\n" })
    guard path.hasPrefix("/") else {
      throw BackupTrouble(
        .binary,
        "there is no \(given ?? name): install a server like the one that wrote the file, or name it in backup.server_binary"
      )
    }
    let outcome = try await ChildCommand([path, "--version"], timeLimit: .seconds(10)).run()
    guard outcome.isSuccess else {
      throw BackupTrouble(
        .binary,
        "\(given ?? name) --version \(outcome.end): install a server like the one that wrote the file, or name it in backup.server_binary"
      )
    }
    guard let found = ServerBinary(path: path, told: outcome.output) else {
      throw BackupTrouble(
        .binary, "\(given ?? name) --version names no Redis or Valkey server: name one in backup.server_binary")
    }
    return found
  }

  /// - Parameter text: as `--version` prints it: `Redis server v=7.0.15 sha=00000000:0 …`.
  init?(path: String, told text: String) {
    guard let place = text.firstRange(of: " server v=") else { return nil }
    let version = Version(String(text[place.upperBound...].prefix { $0.isNumber || $0 == "." }))
    guard version > Version(0) else { return nil }
    (self.path, self.version) = (path, version)
    isValkey = text[..<place.lowerBound].hasSuffix("Valkey")
  }

  /// Why a file of that server should not be judged by this one; nil where it may.
  func mismatch(_ header: RDBHeader?) -> String? {
    guard let header, let told = header.server else { return nil }
    let wrote = Version(told)
    // Valkey reads what Redis wrote up to 7.2, from which it comes.
    if isValkey != header.isValkeyMade, !(isValkey && wrote < Version(7, 3)) {
      return
        "the file was written by \(header.isValkeyMade ? "Valkey" : "Redis") \(wrote), and \(title) is another product"
    }
    guard isValkey == header.isValkeyMade else { return nil }
    return (version.major, version.minor) < (wrote.major, wrote.minor)
      ? "the file was written by version \(wrote), and \(title) is older" : nil
  }

  /// Whether it is no script: those start a server by whatever name they are called.
  var isProgram: Bool { SmallFile.bytes(path, limit: 4) == [0x7F, 0x45, 0x4C, 0x46] }

  /// How the program is asked to check files: it does so under that name.
  func checkName(_ kind: String) -> String { "\(isValkey ? "valkey" : "redis")-check-\(kind)" }
}
