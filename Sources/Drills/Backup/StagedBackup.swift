import Config
import Fleet
import Glibc
import Runtime

/// Where a backup comes from.
public enum BackupSource: Sendable {
  /// An RDB file, or the folder of an append-only file.
  case path(String)
  /// A line for `sh -c` that writes either to `{}`.
  case command(String)
  /// A replica that saves it now.
  case replica(ReplicaSource)
}

/// A copy of a backup in a private folder, where a server can load it.
struct StagedBackup: Sendable {
  enum Form: Sendable, Equatable {
    case rdb
    case aof(AOFManifest)
  }

  let form: Form
  /// Of the RDB file, or of the base of the append-only file where that is one.
  let header: RDBHeader?
  let sizeBytes: Int
  /// When the RDB file was begun; of an append-only file, when its newest part was last written.
  let writtenAt: WallTime

  static let commandLimit: Duration = .seconds(4 * 3600)
  private static let copyLimit: Duration = .seconds(4 * 3600)

  /// Gets it and looks at how it begins.
  ///
  /// - Throws: ``BackupTrouble``, ``ChildError``.
  static func stage(_ source: BackupSource, in folder: PrivateFolder) async throws -> StagedBackup {
    var (path, isMoved) = ("\(folder.path)/fetched", true)
    switch source {
    case .path(let given): (path, isMoved) = (given, false)
    case .command(let line): try await fetch(line, to: path, in: folder)
    case .replica(let replica): try await replica.save(to: path, in: folder)
    }
    let staged: StagedBackup
    if try await isFolder(path) {
      staged = try await stage(aof: path, in: folder)
    } else {
      staged = try await stage(rdb: path, in: folder, isMoved: isMoved)
    }
    return staged
  }

  private static func fetch(_ line: String, to path: String, in folder: PrivateFolder) async throws {
    var command = ChildCommand(shell: line.replacing("{}", with: quoted(path)), timeLimit: commandLimit)
    command.folder = folder.path
    let outcome = try await command.run()
    guard outcome.isSuccess else {
      // What it prints may hold a secret.
      throw BackupTrouble(.missing, "the command that fetches it \(outcome.end): run it by hand to see what it says")
    }
  }

  /// As one word of a shell.
  private static func quoted(_ path: String) -> String { "'" + path.replacing("'", with: "'\\''") + "'" }

  // MARK: One file

  private static func stage(rdb path: String, in folder: PrivateFolder, isMoved: Bool) async throws -> StagedBackup {
    let file = try await head(path)
    let header = try header(file.bytes)
    if header.isAOFBase {
      throw BackupTrouble(
        .partMissing,
        "it is the base of an append-only file, without what was written since: name the folder with its manifest")
    }
    try checkDisk(file.sizeBytes, in: folder, copies: isMoved ? 1 : 2)
    try await place(path, at: "\(folder.path)/\(ScratchServer.rdbName)", isMoved: isMoved)
    return StagedBackup(
      form: .rdb, header: header, sizeBytes: file.sizeBytes, writtenAt: header.writtenAt ?? file.writtenAt)
  }

  private static func header(_ bytes: [UInt8]) throws -> RDBHeader {
    do throws(RDBHeader.Failure) {
      return try RDBHeader(bytes)
    } catch {
      switch error {
      case .empty: throw BackupTrouble(.empty, "the file has no byte")
      case .foreign(let kind):
        throw BackupTrouble(
          .foreign,
          "the file is no RDB file: it does not begin with REDIS or VALKEY" + (kind.map { ", but is \($0)" } ?? ""))
      }
    }
  }

  // MARK: An append-only file

  private static let entryLimit = 100_000

  private static func stage(aof path: String, in folder: PrivateFolder) async throws -> StagedBackup {
    let names = await Task(executorPreference: WorkExecutor.files) {
      SmallFile.names(inDirectory: path, limit: entryLimit).filter { $0.hasSuffix(AOFManifest.ending) }.sorted()
    }.value
    guard let name = names.first else {
      throw BackupTrouble(.partMissing, "the folder has no manifest: without it, a server starts well, with no key")
    }
    guard names.count == 1 else {
      throw BackupTrouble(.foreign, "the folder has \(names.count) manifests: which is the backup is not known")
    }
    let manifestFile = try await head("\(path)/\(name)", limit: AOFManifest.limitBytes)
    let manifest: AOFManifest
    do throws(AOFManifest.Failure) {
      manifest = try AOFManifest(fileName: name, manifestFile.bytes)
    } catch {
      throw BackupTrouble(manifestFile.sizeBytes == 0 ? .empty : .damaged, "the manifest \(error.reason)")
    }
    var (size, written, header) = (0, WallTime.distantPast, RDBHeader?.none)
    for part in manifest.parts {
      let file: (bytes: [UInt8], sizeBytes: Int, writtenAt: WallTime)
      do { file = try await head("\(path)/\(part)") } catch let trouble as BackupTrouble where trouble.kind == .missing
      {
        throw BackupTrouble(.partMissing, "the manifest names \(Self.shown(part)), which is not there")
      }
      size += file.sizeBytes
      written = max(written, file.writtenAt)
      if part == manifest.base { header = try? RDBHeader(file.bytes) }
    }
    try checkDisk(size, in: folder, copies: 2)
    let target = "\(folder.path)/\(ScratchServer.aofFolder)"
    try await place(nil, at: target, isMoved: false)
    for part in [name] + manifest.parts { try await place("\(path)/\(part)", at: "\(target)/\(part)", isMoved: false) }
    return StagedBackup(form: .aof(manifest), header: header, sizeBytes: size, writtenAt: written)
  }

  private static func shown(_ name: String) -> String { oneLine(name.cut(toBytes: 100)) }

  // MARK: Files

  private static func isFolder(_ path: String) async throws -> Bool {
    await Task(executorPreference: WorkExecutor.files) { Folder.isOne(path) }.value
  }

  private static func head(
    _ path: String, limit: Int = RDBHeader.limitBytes
  ) async throws -> (bytes: [UInt8], sizeBytes: Int, writtenAt: WallTime) {
    do throws(FileProblem) {
      return try await FileWork.shared.value(of: path, within: .seconds(30), isRecorded: false) {
        () throws(FileProblem) in try RegularFile.head(path, limitBytes: limit)
      }
    } catch {
      if error.isMissing { throw BackupTrouble(.missing, "there is no such file") }
      throw BackupTrouble(.unreadable, "it cannot be read: \(error.reason)")
    }
  }

  private static func checkDisk(_ size: Int, in folder: PrivateFolder, copies: Int) throws {
    guard let free = SmallFile.freeBytes(onDiskOf: folder.path) else { return }
    let needed = Double(copies) * Double(size)
    if free < needed {
      throw BackupTrouble(
        .disk,
        "\(BackupWords.bytes(needed)) are needed below \(PrivateFolder.defaultParent), and \(BackupWords.bytes(free)) are free: name a larger disk in TMPDIR"
      )
    }
  }

  /// Copies or moves a file, or makes a folder where `path` is nil; for the user whom the server runs as.
  private static func place(_ path: String?, at target: String, isMoved: Bool) async throws {
    let script = """
      if [ -z "$1" ]; then mkdir -m 700 -- "$2"; elif [ "$3" = move ]; then mv -- "$1" "$2"; else cp -- "$1" "$2"; fi || exit
      [ -z "$4" ] || chown "$4" "$2"
      """
    let owner = UnprivilegedUser.isNeeded ? "\(UnprivilegedUser.id):\(UnprivilegedUser.id)" : ""
    let command = ChildCommand(
      ["sh", "-c", script, "sh", path ?? "", target, isMoved ? "move" : "copy", owner], timeLimit: copyLimit)
    let outcome = try await command.run()
    guard outcome.isSuccess else {
      let told = oneLine(outcome.output.cut(toBytes: 200))
      throw BackupTrouble(
        outcome.output.contains("No space left") ? .disk : .unreadable, "it cannot be copied: \(told)")
    }
  }
}

/// Numbers as reports write them.
enum BackupWords {
  static func bytes(_ count: Double) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var (value, place) = (count, 0)
    while value >= 1024, place < units.count - 1 { (value, place) = (value / 1024, place + 1) }
    return "\(rounded(value)) \(units[place])"
  }

  static func seconds(_ count: Double) -> String {
    switch count {
    case ..<120: "\(rounded(count)) s"
    case ..<7200: "\(rounded(count / 60)) min"
    case ..<172_800: "\(rounded(count / 3600)) h"
    default: "\(rounded(count / 86_400)) days"
    }
  }

  static func percent(_ share: Double) -> String { "\(rounded(share * 100)) %" }

  /// To three digits, or whole.
  private static func rounded(_ value: Double) -> String {
    if value >= 100 || value == value.rounded() { return "\(Int(clamping: value.rounded()))" }
    return value >= 1 ? "\((value * 10).rounded() / 10)" : "\((value * 1000).rounded() / 1000)"
  }
}

extension FileProblem {
  /// That there is no such file (ENOENT), or no such folder on the way to it (ENOTDIR).
  fileprivate var isMissing: Bool { [ENOENT, ENOTDIR].contains { systemError($0) == reason } }
}
