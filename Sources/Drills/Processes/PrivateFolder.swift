import Config
import Runtime
import Subprocess

/// A folder that only its owner may enter (0700), with all in it gone once nobody uses it: also when this process is killed.
///
/// A shell in a session of its own makes it and waits on a pipe that only this process holds open; at its end, it removes the
/// folder. Programs that write into it are ended by their own lifeline, see ``ChildCommand``.
public struct PrivateFolder: Sendable {
  public let path: String

  /// Where folders are made: `TMPDIR`, or `/var/tmp`, which is on a disk.
  public static var defaultParent: String {
    let named = processEnvironment()["TMPDIR"] ?? ""
    return named.hasPrefix("/") ? named : "/var/tmp"
  }

  /// Runs `body` with a folder below `parent`, and removes it.
  ///
  /// - Parameter isUnprivileged: whether it belongs to `nobody` where this process is root.
  /// - Throws: ``ChildError`` where it cannot be made, and what `body` throws.
  public static func use<Value: Sendable>(
    below parent: String = defaultParent, isUnprivileged: Bool = false,
    _ body: @escaping @Sendable (PrivateFolder) async throws -> Value
  ) async throws -> Value {
    var options = PlatformOptions()
    options.createSession = true
    let owner = isUnprivileged && UnprivilegedUser.isNeeded ? "\(UnprivilegedUser.id):\(UnprivilegedUser.id)" : ""
    do {
      return try await Subprocess.run(
        .name("sh"), arguments: ["-c", script, "redline-folder", parent, owner], platformOptions: options,
        input: .inputWriter, output: .sequence, error: .discarded
      ) { execution in
        var told: [UInt8] = []
        for try await buffer in execution.standardOutput {
          told += buffer.array.prefix(4096 - told.count)
          if told.last == UInt8(ascii: "\n") { break }
        }
        let path = String(decoding: told.dropLast(), as: UTF8.self)
        guard path.hasPrefix("/"), told.last == UInt8(ascii: "\n") else {
          throw ChildError(reason: "no folder can be made in \(parent): name one in TMPDIR where it can")
        }
        let result: Result<Value, any Error>
        do { result = .success(try await body(PrivateFolder(path: path))) } catch { result = .failure(error) }
        // Thrown only once the shell has been told, and is waited for: it removes the folder.
        try? await execution.standardInputWriter.finish()
        return result
      }.closureResult.get()
    } catch let error as SubprocessError {
      throw ChildError(reason: "no process can be started: \(error)")
    }
  }

  /// Signals to stop are for this process, whose end is what the shell waits for.
  private static let script = """
    trap '' HUP INT TERM PIPE
    umask 077
    folder=$(mktemp -d "$1/redline.XXXXXXXX") || exit
    [ -z "$2" ] || chown "$2" "$folder" || { rmdir "$folder"; exit; }
    echo "$folder"
    while read -r word; do :; done
    tries=0
    while [ "$tries" -lt 100 ]; do
      rm -rf -- "$folder" 2>/dev/null
      [ -e "$folder" ] || exit 0
      tries=$((tries + 1))
      sleep 0.1
    done
    exit 1
    """
}
