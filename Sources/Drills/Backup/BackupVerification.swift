import Config
import Fleet
import Redis
import Runtime

/// Tries a backup out: gets it, checks it, has a server of its own load it, and looks at what it holds.
public struct BackupVerification: Sendable {
  public let source: BackupSource
  public let config: BackupConfig
  let context: ConnectionContext
  /// Where private folders are made.
  let parent: String

  /// What loading takes beside what the server used when it wrote the file.
  private static let memoryFactor = 1.3
  /// Where the file does not tell what it used: what is compressed is unpacked, and each key has its share of tables.
  private static let sizeFactor = 5.0
  private static let checkLimit: Duration = .seconds(3600)

  public init(
    _ source: BackupSource, _ config: BackupConfig, in context: ConnectionContext,
    below parent: String = PrivateFolder.defaultParent
  ) {
    (self.source, self.config, self.context, self.parent) = (source, config, context, parent)
  }

  /// - Parameter step: is told what is done next.
  /// - Throws: ``ChildError`` where no program or no folder can be had.
  public func run(_ step: @escaping @Sendable (String) -> Void = { _ in }) async throws -> BackupFacts {
    try await PrivateFolder.use(below: parent, isUnprivileged: true) { folder in
      var facts = BackupFacts()
      do { try await look(in: folder, &facts, step) } catch let trouble as BackupTrouble { facts.trouble = trouble }
      return facts
    }
  }

  private func look(
    in folder: PrivateFolder, _ facts: inout BackupFacts, _ step: @Sendable (String) -> Void
  ) async throws {
    if case .path(let path) = source { facts.title = oneLine(String(path.suffix { $0 != "/" }.suffix(100))) }
    step("gets the backup")
    let staged = try await StagedBackup.stage(source, in: folder)
    if case .aof(let manifest) = staged.form { facts.title = "the append-only file of \(manifest.parts.count) parts" }
    facts.header = staged.header
    facts.sizeBytes = staged.sizeBytes
    facts.writtenAt = staged.writtenAt
    let binary = try await ServerBinary.find(config.serverBinary, isValkey: staged.header?.isValkeyMade ?? false)
    facts.server = binary.title
    step("checks the backup")
    let doubt: BackupTrouble?
    (facts.isChecked, doubt) = try await check(staged, by: binary, in: folder)
    // Of an append-only file the server says better what is wrong: whether it is cut off, or damaged.
    if let doubt, staged.form == .rdb { throw doubt }
    if let mismatch = binary.mismatch(staged.header) {
      throw BackupTrouble(
        .binary, "\(mismatch): name a program of the same product, and no older, in backup.server_binary")
    }
    if let module = staged.header?.module, config.serverBinary == nil {
      throw BackupTrouble(
        .modules, "it needs the module \(module): name a program in backup.server_binary that starts the server with it"
      )
    }
    let room = try checkMemory(staged)
    step("loads the backup")
    let server = ScratchServer(binary: binary, folder: folder, context: context, memoryBytes: room)
    switch try await server.load(staged.form, limit: config.maxLoad) {
    case .loaded(let seconds, let contents):
      (facts.loadSeconds, facts.contents, facts.trouble) = (seconds, contents, doubt)
    case .tooSlow(let seconds):
      facts.loadSeconds = seconds
      facts.trouble = BackupTrouble(
        .slow, "it was not loaded after \(BackupWords.seconds(seconds)), which is max_load")
    case .failed(let trouble): throw trouble
    }
  }

  /// - Returns: what the server may take, in bytes; nil where the system does not tell.
  private func checkMemory(_ staged: StagedBackup) throws -> Int? {
    guard let room = AvailableMemory.bytes() else { return nil }
    let needed =
      staged.header?.usedMemoryBytes.map { Double($0) * Self.memoryFactor } ?? Double(staged.sizeBytes)
      * Self.sizeFactor
    guard needed <= Double(room) else {
      throw BackupTrouble(
        .memory,
        "loading it takes about \(BackupWords.bytes(needed)), and \(BackupWords.bytes(Double(room))) are left: run this where there is more"
      )
    }
    return room
  }

  /// Has the program check the files that comes with the server.
  ///
  /// - Returns: whether it finds nothing, nil where there is no such program; and what it finds.
  private func check(
    _ staged: StagedBackup, by binary: ServerBinary, in folder: PrivateFolder
  ) async throws -> (isGood: Bool?, trouble: BackupTrouble?) {
    let path: String
    let kind: String
    switch staged.form {
    case .rdb: (path, kind) = ("\(folder.path)/\(ScratchServer.rdbName)", "rdb")
    case .aof(let manifest):
      (path, kind) = ("\(folder.path)/\(ScratchServer.aofFolder)/\(manifest.fileName)", "aof")
    }
    guard let program = try await checker(kind, of: binary, in: folder) else { return (nil, nil) }
    var command = ChildCommand([program, path], timeLimit: Self.checkLimit)
    (command.folder, command.isUnprivileged, command.inheritsEnvironment) = (folder.path, true, false)
    let outcome = try await command.run()
    guard outcome.end != .timedOut else {
      throw BackupTrouble(.interrupted, "the check of the file took more than \(BackupWords.seconds(3600))")
    }
    if let trouble = BackupTrouble(unstarted: outcome, program) { throw trouble }
    guard outcome.isSuccess else {
      return (false, BackupTrouble(output: outcome.output, server: binary, fallback: .damaged))
    }
    return (true, nil)
  }

  /// The one beside the server, or the server itself, which is the same program by another name.
  private func checker(_ kind: String, of binary: ServerBinary, in folder: PrivateFolder) async throws -> String? {
    let name = binary.checkName(kind)
    let beside = String(binary.path.prefix(through: binary.path.lastIndex(of: "/") ?? binary.path.startIndex)) + name
    if SmallFile.size(beside) != nil { return beside }
    guard binary.isProgram else { return nil }
    let link = "\(folder.path)/\(name)"
    let linked = try await ChildCommand(["ln", "-s", "--", binary.path, link], timeLimit: .seconds(10)).run()
    return linked.isSuccess ? link : nil
  }
}

extension String {
  fileprivate func suffix(_ holds: (Character) -> Bool) -> String {
    var begin = endIndex
    while begin > startIndex, holds(self[index(before: begin)]) { begin = index(before: begin) }
    return String(self[begin...])
  }
}
