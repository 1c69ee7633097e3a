import Config
import Runtime

/// What the declared files of a workload say.
public struct DeclaredWorkload: Sendable, Equatable {
  /// With the file's path.
  let settings: (path: String, values: DeclaredSettings)?
  let sentinel: (path: String, values: DeclaredSentinel)?

  public static func == (left: DeclaredWorkload, right: DeclaredWorkload) -> Bool {
    left.settings?.path == right.settings?.path && left.settings?.values == right.settings?.values
      && left.sentinel?.path == right.sentinel?.path && left.sentinel?.values == right.sentinel?.values
  }
}

/// The declared files of all workloads of a configuration, as they were read with it.
public struct DeclaredFiles: Sendable {
  private var byWorkload: [String: DeclaredWorkload] = [:]
  private var paths: [String] = []
  private var patterns: [String] = []

  /// Of no workload.
  public init() {}

  public subscript(workload: String) -> DeclaredWorkload? { byWorkload[workload] }

  /// Reads all files that the configuration declares, each once. It waits for the disk.
  ///
  /// - Throws: everything that is wrong in any of them. No error shows a secret.
  public static func read(_ config: FleetConfig) throws(ConfigErrors) -> DeclaredFiles {
    var files = DeclaredFiles()
    var known: [String: ConfFile] = [:]
    var errors: [ConfigError] = []
    func file(_ path: String, _ key: String, _ workload: WorkloadConfig) -> ConfFile? {
      if let file = known[path] { return file }
      do throws(ConfigErrors) {
        let file = try ConfFile(path)
        known[path] = file
        files.paths += file.paths.filter { !files.paths.contains($0) }
        files.patterns += file.patterns.filter { !files.patterns.contains($0) }
        return file
      } catch {
        errors += error.errors.map { $0.named("declared.\(key) of workload \(workload.name)") }
        return nil
      }
    }
    func values<Values>(_ body: () throws(ConfigErrors) -> Values) -> Values? {
      do throws(ConfigErrors) { return try body() } catch {
        errors += error.errors.filter { !errors.contains($0) }
        return nil
      }
    }
    for workload in config.workloads {
      guard let declared = workload.declared else { continue }
      let settings = declared.redisConf.flatMap { path in
        file(path, "redis_conf", workload).flatMap { file in
          values { () throws(ConfigErrors) in
            try DeclaredSettings(file, ignored: Set(declared.ignored.map(SettingCatalogue.canonical)))
          }.map { (path, $0) }
        }
      }
      let sentinel = declared.sentinelConf.flatMap { path in
        file(path, "sentinel_conf", workload).flatMap { file in
          workload.sentinel.flatMap { group in
            values { () throws(ConfigErrors) in
              try DeclaredSentinel(file, path: path, masterName: group.masterName)
            }.map { (path, $0) }
          }
        }
      }
      files.byWorkload[workload.name] = DeclaredWorkload(settings: settings, sentinel: sentinel)
    }
    guard errors.isEmpty else { throw ConfigErrors(errors) }
    return files
  }

  /// The bytes of every file, and which files match: what a change of is to be taken over. It waits for the disk.
  public func contents() throws(FileProblem) -> [[UInt8]] {
    var contents: [[UInt8]] = []
    for path in paths { contents.append(try RegularFile.bytes(path, limitBytes: ConfFile.fileBytes)) }
    return contents + patterns.map { Array(PathGlob.matches($0).joined(separator: "\n").utf8) }
  }
}

extension ConfigError {
  /// The same of a file that cannot be read at all, with what names it.
  fileprivate func named(_ key: String) -> ConfigError {
    guard case .file(_, nil) = origin, hint == nil else { return self }
    return ConfigError(origin, path: path, value: value, problem: problem, hint: "\(key) names it")
  }
}
